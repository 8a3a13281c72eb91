"""The summary of a study at its end: counts and best trials, without reading all trials."""

from __future__ import annotations

import msgspec

from hpo_core.config import from_json
from hpo_core.controller.results.open_trials import read_unfinished
from hpo_core.controller.results.result import feasible_trials, read_top
from hpo_core.controller.results.trial_result import TrialResult
from hpo_core.model.budget import Usage
from hpo_core.model.constraint import Constraint
from hpo_core.model.job import StudyState
from hpo_core.model.objective import pareto_front
from hpo_core.model.text import counted, first_line
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


class Failure(msgspec.Struct, frozen=True):
    """The job with which a trial failed.

    Attributes:
        job: The job's id.
        reason: A human-readable reason.
    """

    job: str
    reason: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A study at its end, in memory independent of the number of trials.

    Attributes:
        name: The study's name.
        state: Its state.
        reason: A human-readable reason for its end.
        usage: The usage of the budget.
        trials: Number of trials.
        completed: Number of completed trials, without imported ones.
        failed: Number of failed trials.
        paused: Number of paused trials.
        front: With several objectives, the number of trials on the Pareto front; else None.
        constraints: The constraints.
        top: Its best trials.
        best_so_far: The best running or paused trial, if none is completed.
        first_failure: The first failed trial of this session, else of all; None if none failed.
    """

    name: str
    state: StudyState
    reason: str
    usage: Usage
    trials: int
    completed: int
    failed: int
    paused: int
    front: int | None
    constraints: tuple[Constraint, ...]
    top: tuple[TrialResult, ...]
    best_so_far: TrialResult | None = None
    first_failure: Failure | None = None

    @property
    def failures(self) -> str:
        """A message with the number of failed trials and the reason of the first; ``""`` if none
        failed.
        """
        if self.first_failure is None:
            return ""
        job, reason = self.first_failure.job, first_line(self.first_failure.reason)
        which = "in" if self.failed == 1 else "the first one in"
        ran = counted(self.trials, "trial")
        return f"{self.failed} of {ran} failed, {which} job {job}: {reason}"

    def __repr__(self) -> str:
        """Return the state and the number of trials in one line."""
        said = f"{self.state.value}, {counted(self.trials, 'trial')}"
        return f"<Summary of {self.name!r}: {said}, {self.completed} completed>"


def read_summary(
    store: Store, study: StudyRecord, usage: Usage, k: int, since: float = 0.0
) -> Summary:
    """Read a study's summary from its store.

    Args:
        store: The store.
        study: The study.
        usage: What it has used.
        k: Number of best trials to read.
        since: Start time of its last session, in seconds since the epoch.
    """
    config = from_json(study.config)
    totals = store.totals(study.id)
    front = None
    if len(config.objectives) > 1:
        feasible = feasible_trials(store, study, config)
        front = len(pareto_front([trial.losses or () for trial in feasible]))
    state, reason = store.current_state(study)
    top = read_top(store, study, k)
    so_far = [] if top else read_unfinished(store, study, 1)
    return Summary(
        name=study.name,
        state=state,
        reason=reason,
        usage=usage,
        trials=totals.trials + totals.imported,
        completed=totals.completed,
        failed=totals.failed,
        paused=totals.paused,
        front=front,
        constraints=config.constraints,
        top=tuple(top),
        best_so_far=so_far[0] if so_far and so_far[0].losses else None,
        first_failure=_first_failure(store, study, since),
    )


def _first_failure(store: Store, study: StudyRecord, since: float) -> Failure | None:
    job = store.first_failure(study.id, since) or store.first_failure(study.id)
    return None if job is None else Failure(job.id, job.reason)
