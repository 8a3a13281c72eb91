"""Which of a trial's jobs count: a retry replaces the failed attempts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from hpo_core.model.job import JobState
from hpo_core.store.records import JobRecord

ENDS_AN_ASK = (JobState.COMPLETED, JobState.PAUSED, JobState.STOPPED, JobState.TIMED_OUT)
"""The final states of a job after which its trial has no further job unless it is resumed."""


def replaced(jobs: Iterable[tuple[int, int, JobState]]) -> set[tuple[int, int]]:
    """Return the jobs that a retry has replaced, as pairs of trial and attempt.

    A retry replaces the failed job, and jobs before it that were lost since the trial was last
    suggested.

    Args:
        jobs: Each job's trial, attempt and state, in the order of trials and attempts.
    """
    found: set[tuple[int, int]] = set()
    for _, its in groupby(jobs, key=lambda job: job[0]):
        since_asked: list[tuple[int, int]] = []
        is_retried = False
        for trial, attempt, state in its:
            if is_retried:
                found.update(since_asked)
                since_asked = []
            is_retried = state is JobState.FAILED
            since_asked = [] if state in ENDS_AN_ASK else [*since_asked, (trial, attempt)]
    return found


def counting(jobs: Sequence[JobRecord]) -> list[JobRecord]:
    """Return the jobs, of one trial or of all, that no retry has replaced."""
    gone = replaced((job.trial_id, job.attempt, job.state) for job in jobs)
    return [job for job in jobs if (job.trial_id, job.attempt) not in gone]
