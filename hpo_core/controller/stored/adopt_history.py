"""Continue a study with a strategy that makes other suggestions: it adopts the stored trials."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import TypeVar

from hpo_core.contracts.strategy import Asked, History, Resume, Strategy, Told
from hpo_core.controller.strategy.prepared import Prepared
from hpo_core.controller.strategy.rebuild import handles_attempts
from hpo_core.controller.strategy.restore import restore
from hpo_core.model.errors import StrategyError
from hpo_core.store import adopted
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store

T = TypeVar("T")

_log = logging.getLogger("hpo_core")

MOST_REFUSED = 100
"""Maximum number of trials that may be left out; with more, the strategy is rejected."""

_ANYTHING = (Exception, SystemExit)  # exceptions that a plugin may raise


def adopt_history(
    make: Callable[[], Strategy], prepared: Prepared, store: Store, study: StudyRecord
) -> None:
    """Mark the whole stored history of a study as adopted; log what could not be adopted.

    The saved state of the strategy is deleted, and the study uses the currently installed plugins.
    The adoption is first tried on throw-away strategies. Trials that cannot be adopted are left out
    of the history of the strategy. Nothing is stored until a strategy was restored without them.

    Args:
        make: Builds a new strategy on each call, or returns the given one.
        prepared: The study's plugins.
        store: The store.
        study: The study, whose lock the caller holds.

    Raises:
        StrategyError: If the strategy cannot be built or restored, or fails to adopt too many
            trials. The study is then unchanged.
    """
    if prepared.given is not None:
        make = partial(_copied, prepared.given)
    refused: dict[int, str] = {}
    while (found := _tried(make, store, study, partial(_refusal, refused))) is not None:
        trial_id, why = found
        refused[trial_id] = why
        if len(refused) > MOST_REFUSED:
            raise StrategyError(
                f"the strategy {prepared.config.strategy.name!r} can't adopt {len(refused)} trials "
                f"or more, so nothing of the study is changed; trial {trial_id}: {why}"
            )
    _tried(make, store, study, partial(_restore, refused, prepared.config.strategy.name))
    adopted.record(store, study.id, store.log_length(study.id), refused, prepared.identities())
    for trial_id, why in refused.items():
        _log.warning("trial %d could not be adopted: %s", trial_id, why)
    _log.warning(
        "the strategy of %r adopts the %d events that are stored; hpo replay starts there",
        study.name,
        store.log_length(study.id),
    )


def _copied(given: Strategy) -> Strategy:
    try:
        return copy.deepcopy(given)
    except Exception as error:  # an instance may hold objects that cannot be copied
        kind = type(given).__qualname__
        raise StrategyError(f"an instance of {kind} can't be copied: {error}") from error


def _tried(
    make: Callable[[], Strategy],
    store: Store,
    study: StudyRecord,
    what: Callable[[Strategy, History], T],
) -> T:
    """Call a function with a new strategy and the history to adopt."""
    strategy = make()
    try:
        with_replaced = handles_attempts(strategy)
        history = store.history(study.id, with_replaced=with_replaced, all_adopted=True)
        return what(strategy, history)
    finally:
        with suppress(*_ANYTHING):
            getattr(strategy, "close", lambda: None)()


def _refusal(
    refused: Collection[int], strategy: Strategy, history: History
) -> tuple[int, str] | None:
    """Return the first trial that a strategy cannot adopt or be told about, and the reason."""
    for event in history:
        trial_id = _trial_of(event)
        if trial_id in refused:
            continue
        try:
            if isinstance(event, Asked):
                strategy.adopt(event.trial_id, event.suggestion)
            else:
                strategy.tell(event.report)
        except _ANYTHING as error:
            return trial_id, f"{type(error).__name__}: {error}"
    return None


def _restore(refused: Collection[int], name: str, strategy: Strategy, history: History) -> None:
    restore(strategy, name, [one for one in history if _trial_of(one) not in refused], None)


def _trial_of(event: Asked | Told) -> int:
    if isinstance(event, Told):
        return event.report.trial_id
    suggestion = event.suggestion
    return suggestion.trial_id if isinstance(suggestion, Resume) else event.trial_id
