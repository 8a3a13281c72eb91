"""Restore a strategy from a study's history, even if it raised when it was told a report."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Set
from contextlib import suppress

import msgspec

from hpo_core.contracts.strategy import Asked, History, SavedState, Strategy, Told
from hpo_core.controller.strategy.rebuild import Renewer, handles_attempts, position_of
from hpo_core.model.errors import HpoError, StrategyError
from hpo_core.model.report import Report, Status
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store

_log = logging.getLogger("hpo_core")


def restored_strategy(
    make: Callable[[], Strategy], name: str, store: Store, study: StudyRecord
) -> Strategy:
    """Build a strategy, and restore it from a study's history.

    A report on which the strategy raised is told again, since the strategy may have been fixed. If
    it raises again, another instance is restored as if that job had failed; if that also raises,
    without the report. A warning is logged.

    Args:
        make: Builds the strategy; may return the same instance each time.
        name: The strategy's name, for messages.
        store: The store of the study.
        study: The study.

    Raises:
        StrategyError: If the strategy can't be restored.
    """
    strategy = make()
    history = store.history(study.id, with_replaced=handles_attempts(strategy))
    state = position_of(store.saved_state(study.id), history)
    undecided = history.positions(store.undecided(study.id))
    spare = _copied(strategy) if undecided else None
    try:
        restore(strategy, name, history, state)
    except StrategyError as error:
        _close(strategy)
        for without, its_state in _milder(history, state, undecided):
            again = make()
            if again is strategy:
                if spare is None:
                    break
                again, spare = spare, _copied(spare)
            try:
                restore(again, name, without, its_state)
            except StrategyError:
                _close(again)
            else:
                _log.warning(_LEFT_OUT, error, len(undecided))
                return again
        raise StrategyError(
            f"{error}; to continue with the stored trials adopted: "
            f"hpo resume {study.name} --adopt-history"
        ) from error
    return strategy


def rebuilt(renewer: Renewer, name: str, store: Store, study: StudyRecord) -> Strategy:
    """Return a new strategy restored from the history without the reports replaced by retries.

    Raises:
        HpoError: If it cannot be built or restored.
    """
    history = store.history(study.id)
    saved = position_of(store.saved_state(study.id), history)
    return renewer.restored(lambda strategy: restore(strategy, name, history, saved))


_LEFT_OUT = (
    "%s; it also raised when it was told, so it is restored as if the reports that it could "
    "not handle (%d) had been failures"
)


def restore(strategy: Strategy, name: str, history: History, saved: SavedState | None) -> None:
    """Restore a new strategy from a history, unless it is empty.

    Raises:
        StrategyError: If it can't be restored.
    """
    if not history:
        return
    try:
        strategy.restore(history, saved)
    except HpoError:
        raise
    except Exception as error:  # a plugin may raise anything
        raise StrategyError(
            f"the strategy {name!r} could not be restored: {type(error).__name__}: {error}"
        ) from error


def without_metrics(report: Report) -> Report:
    """Return a failure without metrics in place of a report that the strategy cannot handle."""
    status = Status.FAILED if report.is_final else report.status
    return msgspec.structs.replace(report, status=status, losses=None, metrics={})


def _milder(
    history: History, saved: SavedState | None, undecided: Set[int]
) -> Iterator[tuple[list[Asked | Told], SavedState | None]]:
    """Yield a history in which the undecided reports are failures, then one without them."""
    if undecided:
        failed = [_failed(event) if at in undecided else event for at, event in enumerate(history)]
        yield failed, saved
        left = [event for at, event in enumerate(history) if at not in undecided]
        if saved is not None:
            earlier = sum(at < saved.events for at in undecided)
            saved = msgspec.structs.replace(saved, events=saved.events - earlier)
        yield left, saved


def _failed(event: Asked | Told) -> Asked | Told:
    assert isinstance(event, Told)
    return msgspec.structs.replace(event, report=without_metrics(event.report))


def _close(strategy: Strategy) -> None:
    """Let a strategy that could not be restored release its resources."""
    with suppress(Exception):
        close = getattr(strategy, "close", None)
        if close is not None:
            close()


def _copied(strategy: Strategy) -> Strategy | None:
    """Return a copy of an instance in its initial state, if it can be copied."""
    with suppress(Exception):
        return copy.deepcopy(strategy)
    return None
