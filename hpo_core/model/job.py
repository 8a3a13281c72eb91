"""Trials and jobs: their states, and the job that a backend runs."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from hpo_core.model.values import Configuration


class TrialState(enum.Enum):
    """States of a trial: running -> paused -> running -> completed, stopped or failed."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


class JobState(enum.Enum):
    """States of a job: queued -> running -> one of the others.

    A job is ``stopped`` by the strategy or the end of the budget, ``failed`` by its own fault,
    ``timed_out`` by a limit, and ``lost`` because of its machine or the user. A lost job is run
    again.
    """

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    PAUSED = "paused"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class StudyState(enum.Enum):
    """States of a study. ``hpo run`` resumes a study in every state except ``finished``."""

    CREATED = "created"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a trial, as passed to a backend.

    Attributes:
        id: ``"7.2"`` is the second job of trial 7.
        trial_id: The trial's number.
        name: Display name, rendered from the study's ``job_name``.
        configuration: The values of the active parameters.
        iterations: Number of iterations to train, counted from the start of the trial; None if
            unlimited.
        checkpoint_dir: The trial's folder for checkpoints, shared by its jobs. The backend creates
            it.
        log: The file for the job's standard output and standard error.
        time_limit: Maximum run time in seconds; None for no limit.
        silence_limit: Maximum time between reports in seconds; None for no limit.
        grace: Seconds between the request to terminate at one of these limits and the kill.
        handle: For a job to be adopted: the handle in its Started event.
        reports: For a job to be adopted: the number of its reports that are recorded.
        tags: Labels of the job, for observers.
    """

    id: str
    trial_id: int
    name: str
    configuration: Configuration
    iterations: int | None = None
    checkpoint_dir: str = ""
    log: str = ""
    time_limit: float | None = None
    silence_limit: float | None = None
    grace: float = 0.0
    handle: Any = None
    reports: int = 0
    tags: tuple[str, ...] = ()


def job_id(trial_id: int, attempt: int) -> str:
    """Return the id of a trial's job; attempts are counted from 1."""
    return f"{trial_id}.{attempt}"


def ran_too_long(limit: float) -> str:
    """Return the message for a job that its time limit has ended."""
    return f"ran longer than its limit of {limit:g} s"


def silent_too_long(limit: float) -> str:
    """Return the message for a job that its silence limit has ended."""
    return f"reported nothing for {limit:g} s"
