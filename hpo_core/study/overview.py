"""An overview of a study, as shown in a list of studies."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hpo_core.config import from_json
from hpo_core.controller.results.open_trials import read_unfinished
from hpo_core.controller.results.result import read_top
from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.model.job import StudyState, TrialState
from hpo_core.model.text import counted
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a running or paused trial.

    Attributes:
        trial_id: The trial's number.
        state: The state.
        iteration: The last iteration that it reported, or None.
        values: The values of the objectives' metrics so far.
    """

    trial_id: int
    state: TrialState
    iteration: int | None
    values: Mapping[str, float]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """An overview of a study.

    Attributes:
        name: Its name.
        state: Where it stands.
        reason: A human-readable reason.
        strategy: The strategy's config string.
        created: Creation time, in seconds since the epoch.
        trials: Number of trials, without imported ones.
        completed: Number of completed trials.
        stopped: Number of trials that were stopped early.
        failed: Number of failed trials.
        paused: Number of paused trials.
        running: Number of running trials.
        imported: Number of imported trials.
        best: The values of the objectives' metrics of the best completed trial; empty if no
            trial is completed.
        best_so_far: The best running or paused trial, if none is completed.
    """

    name: str
    state: StudyState
    reason: str
    strategy: str
    created: float
    trials: int
    completed: int
    stopped: int
    failed: int
    paused: int
    running: int
    imported: int
    best: Mapping[str, float]
    best_so_far: Reached | None

    def __repr__(self) -> str:
        """Return the state and the number of trials in one line."""
        said = f"{self.state.value}, {counted(self.trials, 'trial')}"
        return f"<Overview of {self.name!r}: {said}, {self.completed} completed>"


def read_overview(store: Store, study: StudyRecord) -> Overview:
    """Read the overview of a study from its store."""
    totals = store.totals(study.id)
    best = read_top(store, study, 1)
    so_far = [] if best else read_unfinished(store, study, 1)
    state, reason = store.current_state(study)
    return Overview(
        name=study.name,
        state=state,
        reason=reason,
        strategy=from_json(study.config).strategy.name,
        created=study.created,
        trials=totals.trials,
        completed=totals.completed,
        stopped=totals.stopped,
        failed=totals.failed,
        paused=totals.paused,
        running=totals.running,
        imported=totals.imported,
        best=dict(best[0].values) if best else {},
        best_so_far=_reached(so_far[0]) if so_far and so_far[0].values else None,
    )


def _reached(trial: TrialResult) -> Reached:
    return Reached(
        trial_id=trial.trial_id,
        state=trial.state,
        iteration=trial.iteration,
        values=dict(trial.values),
    )
