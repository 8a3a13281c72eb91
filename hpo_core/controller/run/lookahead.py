"""How many short jobs wait for a worker, so that one that becomes free starts the next at once.

Otherwise the worker waits for the controller, which takes about a millisecond: as long as the
shortest commands.
"""

from __future__ import annotations

from hpo_core.controller.run.running_job import RunningJob
from hpo_core.model.job import JobState

SHORT = 0.25
"""Run time in seconds from which no job is suggested ahead.

What a user enqueues, and the retry of a failed job, wait for the jobs that were suggested before.
"""

_WORK = 0.1
"""Run time in seconds of the jobs that wait for one worker."""

_MOST = 16
"""Maximum number of jobs that wait for one worker."""


class Lookahead:
    """How many jobs may be under way, running or waiting for a worker.

    Args:
        workers: Maximum number of jobs that run at once.
        is_allowed: Whether jobs may be suggested before a worker is free for them.
    """

    def __init__(self, workers: int, *, is_allowed: bool) -> None:
        self._workers = workers
        self._is_allowed = is_allowed
        self._adopted: set[RunningJob] = set()
        self.room = workers

    def job_adopted(self, job: RunningJob) -> None:
        """Register a job that an earlier controller has started; its worker runs no others."""
        self._adopted.add(job)

    def job_ended(self, job: RunningJob, state: JobState, seconds: float) -> None:
        """Register the end of a job that has run for a time."""
        self._adopted.discard(job)
        ahead = 0
        if self._is_allowed and not self._adopted and state is JobState.COMPLETED:
            ahead = _jobs_ahead(seconds)
        self.room = self._workers * (1 + ahead)


def _jobs_ahead(seconds: float) -> int:
    """Return how many jobs with this run time may wait for one worker."""
    if seconds >= SHORT:
        return 0
    return min(1 + int(_WORK / max(seconds, 1e-6)), _MOST)
