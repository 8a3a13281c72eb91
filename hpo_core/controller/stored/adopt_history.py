"""A study goes on with a strategy that would have suggested otherwise: it adopts what is stored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hpo_core.contracts.strategy import Asked, History, Resume, Strategy, Told
from hpo_core.controller.strategy.rebuild import handles_attempts
from hpo_core.controller.strategy.resolve import Prepared
from hpo_core.store import adopted
from hpo_core.store.history import as_adopted
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


def adopt_history(
    make: Callable[[], Strategy], prepared: Prepared, store: Store, study: StudyRecord
) -> list[str]:
    """Let all that is stored of a study count as adopted from now on.

    The strategy's saved state is forgotten, and the plugins of today are those that the study
    uses. It is tried first on a strategy that is thrown away: trials that it can't adopt are left
    out of what the strategy is told from then on.

    Args:
        make: Makes a new strategy each time.
        prepared: The study's plugins.
        store: The store.
        study: The study; its controller holds its lock.

    Returns:
        What could not be adopted, a sentence for each trial.
    """
    refused: dict[int, str] = {}
    while (found := _first_refusal(make, store, study, refused)) is not None:
        trial_id, why = found
        refused[trial_id] = why
    adopted.record(store, study.id, store.log_length(study.id), refused, prepared.identities())
    return [f"trial {trial_id} could not be adopted: {why}" for trial_id, why in refused.items()]


def _first_refusal(
    make: Callable[[], Strategy], store: Store, study: StudyRecord, refused: dict[int, str]
) -> tuple[int, str] | None:
    """Return the first trial that a new strategy can't adopt, or can't be told of, and why."""
    strategy = make()
    try:
        history = store.history(study.id, with_replaced=handles_attempts(strategy))
        return _refusal(strategy, history, refused)
    finally:
        with suppress(Exception):
            getattr(strategy, "close", lambda: None)()


def _refusal(
    strategy: Strategy, history: History, refused: dict[int, str]
) -> tuple[int, str] | None:
    for event in history:
        event = as_adopted(event)
        trial_id = _trial_of(event)
        if trial_id in refused:
            continue
        try:
            if isinstance(event, Asked):
                strategy.adopt(event.trial_id, event.suggestion)
            else:
                strategy.tell(event.report)
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            return trial_id, f"{type(error).__name__}: {error}"
    return None


def _trial_of(event: Asked | Told) -> int:
    if isinstance(event, Told):
        return event.report.trial_id
    suggestion = event.suggestion
    return suggestion.trial_id if isinstance(suggestion, Resume) else event.trial_id
