"""Trials and jobs: their states, and what a backend gets to run."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from hpo_core.model.values import Configuration


class TrialState(enum.Enum):
    """The life of a trial: running -> paused -> running -> completed, stopped or failed."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


class JobState(enum.Enum):
    """The life of a job: queued -> running -> one of the others.

    ``stopped`` is the strategy's choice (or the budget's end), ``failed`` the job's fault,
    ``timed_out`` a limit's, ``lost`` the machine's or the user's; a lost job is run again.
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
    """The life of a study. Only a finished one is not resumed by ``hpo run``."""

    CREATED = "created"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a trial, as a backend gets it.

    Attributes:
        id: ``"7.2"`` is the second job of trial 7.
        trial_id: The trial.
        name: For people; made from the study's ``job_name``.
        configuration: The values of the active parameters.
        iterations: How far to train, counted from the trial's beginning; None if not limited.
        checkpoint_dir: A folder of the trial's own, kept from job to job; made by the backend.
        log: The file for the job's standard output and error.
        time_limit: Seconds that the job may run, from its start; None for no limit.
        silence_limit: Seconds that the job may go without a report; None for no limit.
        grace: Seconds between asking the job to end at one of these limits and forcing it.
        handle: For a job that is to be adopted: what its Started event said of it.
        reports: For a job that is to be adopted: how many of its reports are recorded.
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


def job_id(trial_id: int, attempt: int) -> str:
    """Return the id of a trial's job; attempts are counted from 1."""
    return f"{trial_id}.{attempt}"


def ran_too_long(limit: float) -> str:
    """Return why a job was ended by its time limit, for people."""
    return f"ran longer than its limit of {limit:g} s"


def silent_too_long(limit: float) -> str:
    """Return why a job was ended by its silence limit, for people."""
    return f"reported nothing for {limit:g} s"
