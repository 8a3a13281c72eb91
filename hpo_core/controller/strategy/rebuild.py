"""A strategy forgets what a retry has replaced: it is rebuilt from a history without that.

A strategy that has ``handles_attempts`` does so itself; see `hpo_core.contracts.strategy`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hpo_core.contracts.strategy import SavedState, Strategy
from hpo_core.model.errors import StrategyError
from hpo_core.store.history import StoredHistory


def handles_attempts(strategy: Strategy) -> bool:
    """Return whether a strategy replaces by itself what it heard of an earlier attempt."""
    return bool(getattr(strategy, "handles_attempts", False))


class Renewer:
    """Makes a strategy again, as new as it was.

    A strategy that is given as an instance stays that instance, since whoever gave it may hold it:
    it gets back the attributes that it had when it was new.

    Args:
        make: Makes the strategy of the study's configuration.
        given: The instance that it returns each time, still new; None if it makes another one.
    """

    def __init__(self, make: Callable[[], Strategy], given: Strategy | None) -> None:
        self._make = make
        self._given = given
        self._when_new: Any = None
        if given is not None:
            with suppress(Exception):  # an instance may hold what can't be copied
                self._when_new = copy.deepcopy(given)

    def restored(self, restore: Callable[[Strategy], None]) -> Strategy:
        """Return a new strategy after something was done with it.

        Args:
            restore: What is to be done. If it raises, the given instance is as it was before.

        Raises:
            StrategyError: If the instance can't be made new.
        """
        if self._given is None:
            strategy = self._make()
            restore(strategy)
            return strategy
        if self._when_new is None or not hasattr(self._given, "__dict__"):
            kind = type(self._given).__qualname__
            raise StrategyError(f"an instance of {kind} can't be copied")
        strategy = copy.deepcopy(self._when_new)
        restore(strategy)
        self._given.__dict__ = strategy.__dict__  # one for both: bound methods may refer to either
        return self._given


def position_of(saved: tuple[Any, int] | None, history: StoredHistory) -> SavedState | None:
    """Return a state as it was saved, counted in the events of a history."""
    return None if saved is None else SavedState(saved[0], history.position(saved[1]))
