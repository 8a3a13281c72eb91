"""The changing state of a run: running jobs, waiting trials, and how the study ends."""

from __future__ import annotations

import math
from collections import deque

from hpo_core.contracts.backend import Clock
from hpo_core.controller.run.effects import NOTHING, Cancel, Effects, all_of
from hpo_core.controller.run.pending_trial import PendingTrial
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.model.errors import HpoError
from hpo_core.model.job import JobState, StudyState


class RunState:
    """The state of a run.

    Args:
        grace: Seconds between the request to terminate a job and the kill.
        clock: The time.

    Attributes:
        jobs: The running jobs by id.
        waiting: Trials that wait for another job, after a lost or failed one.
        study: The state of the study; RUNNING until its end is decided.
        is_running: Whether the study continues, because its end has not been decided.
        reason: A human-readable reason for the end.
        error: The error that made it fail, or None.
        grace: As above.
    """

    def __init__(self, grace: float, clock: Clock) -> None:
        self.jobs: dict[str, RunningJob] = {}
        self.waiting: deque[PendingTrial] = deque()
        self.study = StudyState.RUNNING
        self.is_running = True
        self.reason = ""
        self.error: HpoError | None = None
        self.grace = grace
        self._clock = clock

    def end(self, study: StudyState, reason: str, error: HpoError | None = None) -> Effects:
        """Launch no more jobs, and end the running jobs, as lost if they are to be run again.

        A job that has reached its target may end by itself within its grace period.
        """
        self.mark(study, reason, error)
        return all_of(self._end_job(job) for job in self.jobs.values())

    def mark(self, study: StudyState, reason: str, error: HpoError | None) -> None:
        """Say where the study stands from now on: nothing more is launched."""
        self.study, self.reason, self.error = study, reason, error
        self.is_running = False

    def _end_job(self, job: RunningJob) -> Effects:
        if self.study is not StudyState.FINISHED:
            return self.cancel(job, JobState.LOST, self.reason)
        if job.target.is_reached:
            self.leave_grace(job, self._clock.now())
            return NOTHING
        return self.cancel(job, JobState.STOPPED, self.reason)

    def fail(self, error: HpoError) -> Effects:
        """End the study as failed, unless it has already failed."""
        if self.study is StudyState.FAILED:
            return NOTHING
        return self.end(StudyState.FAILED, str(error), error)

    def cancel(self, job: RunningJob, fate: JobState, reason: str) -> Effects:
        """End a job, unless it is already being ended."""
        if job.ending is not None:
            return NOTHING
        job.ending, job.reason = fate, reason
        job.deadline = job.silent_until = math.inf
        return Effects(cancel=(Cancel(job.job.id, self.grace),))

    def leave_grace(self, job: RunningJob, now: float) -> None:
        """Allow a job that has reached its target the grace period to end by itself."""
        if job.ending is None:
            job.deadline = min(job.deadline, now + self.grace)

    def force(self) -> Effects:
        """Kill all jobs, including those that are already being ended."""
        return Effects(cancel=tuple(Cancel(job_id, self.grace) for job_id in self.jobs))
