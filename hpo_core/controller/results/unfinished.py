"""The progress of running jobs, whose own rows are filled in only when they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from hpo_core.controller.clock import SystemClock
from hpo_core.model.job import JobState, StudyState, TrialState
from hpo_core.model.objective import Losses
from hpo_core.model.values import Configuration
from hpo_core.store.records import JobRecord, SoFar, StudyRecord, TrialRecord
from hpo_core.store.store import Store


class RunningReports:
    """The reports of a study's running jobs, at one moment.

    Args:
        so_far: The progress of each job, by trial and attempt.
        seen: The last time at which they are known to run, in seconds since the epoch.
    """

    def __init__(self, so_far: Mapping[tuple[int, int], SoFar], seen: float) -> None:
        self._so_far = so_far
        self._seen = seen
        self._losses = {trial: job.losses for (trial, _), job in so_far.items()}

    def filled_in(self, jobs: Iterable[JobRecord]) -> list[JobRecord]:
        """Return jobs in which the iteration, the metrics and the time of running ones are filled
        in.
        """
        return [self._filled_in(job) for job in jobs]

    def losses(self, trial: TrialRecord) -> Losses | None:
        """Return the losses so far of a running trial."""
        return self._losses.get(trial.id) if trial.state is TrialState.RUNNING else None

    def _filled_in(self, job: JobRecord) -> JobRecord:
        if job.state is not JobState.RUNNING:
            return job
        so_far = self._so_far.get((job.trial_id, job.attempt), SoFar())
        return msgspec.structs.replace(
            job, iteration=so_far.iteration, metrics=so_far.metrics, seen=self._seen
        )


def read_reports(store: Store, study: StudyRecord) -> RunningReports:
    """Read the reports of a study's running jobs.

    If the controller died, jobs are known to run until its last record.
    """
    so_far = store.so_far(study.id)
    is_alive = store.current_state(study)[0] is StudyState.RUNNING
    seen = SystemClock().now() if is_alive else store.last_sign_of_life(study.id)
    return RunningReports(so_far, seen)


def read_jobs(store: Store, study: StudyRecord) -> list[JobRecord]:
    """Read all jobs of a study, with the current progress of running ones."""
    with store.snapshot():
        return read_reports(store, study).filled_in(store.jobs(study.id))


def read_configurations(store: Store, study: StudyRecord) -> dict[str, Configuration]:
    """Read the configuration that each job of a study has run, by the job's id."""
    with store.snapshot():
        last = {trial.id: trial.configuration for trial in store.trials(study.id)}
        given = store.given_configurations(study.id)
        jobs = store.jobs(study.id)
    found = {}
    for job in jobs:
        by_then = [each for time, each in given.get(job.trial_id, ()) if time <= job.queued]
        found[job.id] = by_then[-1] if by_then else last[job.trial_id]
    return found
