"""Rebuild a strategy from a history without the reports that a retry has replaced.

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
    """Return whether a strategy replaces the reports of an earlier attempt by itself."""
    return bool(getattr(strategy, "handles_attempts", False))


class Renewer:
    """Creates a strategy again in its initial state.

    A strategy given as an instance remains the same instance, since the caller may hold a reference
    to it: its initial attributes are restored.

    Args:
        make: Builds the strategy of the study's configuration.
        given: The instance that `make` returns each time, in its initial state; None if it builds
            new ones.
    """

    def __init__(self, make: Callable[[], Strategy], given: Strategy | None) -> None:
        self._make = make
        self._given = given
        self._when_new: Any = None
        if given is not None:
            with suppress(Exception):  # an instance may hold objects that cannot be copied
                self._when_new = copy.deepcopy(given)

    def restored(self, restore: Callable[[Strategy], None]) -> Strategy:
        """Return a new strategy after calling a function with it.

        Args:
            restore: The function. If it raises, the previous state of the given instance is
                restored.

        Raises:
            StrategyError: If the initial state of the instance cannot be restored.
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
        self._given.__dict__ = (
            strategy.__dict__
        )  # shared by both: bound methods may refer to either
        return self._given


def position_of(saved: tuple[Any, int] | None, history: StoredHistory) -> SavedState | None:
    """Return a saved state with its position in a history."""
    return None if saved is None else SavedState(saved[0], history.position(saved[1]))
