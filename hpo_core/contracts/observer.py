"""The contract of an observer, which is notified of the events of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.budget import Budget, Usage
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import Job, JobState, StudyState
from hpo_core.model.objective import Losses, Objective


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a study.

    Attributes:
        running: Number of running jobs.
        completed: Number of completed trials.
        failed: Number of failed trials, including those that timed out.
        stopped: Number of trials that were stopped early.
        paused: Number of trials that may be resumed.
        usage: The used part of the budget. A job that has not started does not count.
    """

    running: int
    completed: int
    failed: int
    stopped: int
    usage: Usage
    paused: int = 0


class StudyStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A study is started or resumed.

    Attributes:
        name: The study's name.
        objectives: The objectives.
        budget: The limits of the study.
        workers: Maximum number of jobs that run at once.
        strategy: The strategy's config string.
        time: Time in seconds since the epoch.
        progress: Progress of earlier sessions.
        best: Losses of the incumbent of earlier sessions, if there is one.
        uid: The study's universally unique id: the same in all its sessions.
    """

    name: str
    objectives: tuple[Objective, ...]
    budget: Budget
    workers: int
    strategy: str
    time: float
    progress: Progress
    best: Losses | None = None
    uid: str = ""


class JobStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A job has started."""

    job: Job
    time: float
    progress: Progress


class JobReported(msgspec.Struct, frozen=True, kw_only=True):
    """A job has reported.

    Attributes:
        job: The job.
        time: Time in seconds since the epoch.
        iteration: The iteration it reports; None if it does not count.
        metrics: The reported metrics; values may be NaN or infinite.
    """

    job: Job
    time: float
    iteration: int | None
    metrics: Mapping[str, float]


class FinishedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that has ended, as passed to callbacks and observers.

    Attributes:
        job: The job.
        state: How it ended.
        reason: A human-readable reason; empty if the job succeeded.
        seconds: Run time in seconds.
        iteration: The last iteration that it reported.
        losses: The losses of the trial; None if it has no valid ones.
        values: The values of the objectives' metrics, by metric.
        is_best: Whether the trial is the best so far; with several objectives, whether no other
            trial so far dominates it.
        cause: The cause of a failure; None if the job did not fail.
        best_job: The id of the best job of the study so far, such as ``"7.1"``; None if there is
            none. With several objectives, that of the best trial by the first objective.
        metrics: The last value of each metric of the job, whether reported while it ran or
            returned; values may be NaN or infinite.
    """

    job: Job
    state: JobState
    reason: str
    seconds: float
    iteration: int | None
    losses: Losses | None
    values: Mapping[str, float]
    is_best: bool = False
    cause: FailureCause | None = None
    best_job: str | None = None
    metrics: Mapping[str, float] = {}


class JobFinished(msgspec.Struct, frozen=True, kw_only=True):
    """A job has ended, and its result is stored."""

    finished: FinishedJob
    time: float
    progress: Progress


class StudyEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A session has ended, and the study is finished, failed or interrupted."""

    name: str
    state: StudyState
    reason: str
    time: float
    progress: Progress


StudyEvent: TypeAlias = StudyStarted | JobStarted | JobReported | JobFinished | StudyEnded
"""The events of a study; use `match` to distinguish them."""


class Observer(Protocol):
    """Is notified of the events of a study."""

    def observe(self, event: StudyEvent, /) -> None:
        """Handle an event. The controller waits until this returns, so it should be quick.

        If an observer raises an exception, it is logged and the observer is removed; the study
        continues.
        """
        ...


class ObservedStudy(msgspec.Struct, frozen=True, kw_only=True):
    """Information about a study, passed to an observer when it is built, before the study starts.

    Attributes:
        name: The study's name.
        config: Its configuration, as plain JSON with every default filled in.
        store: The path of the store; None for a study in memory.
    """

    name: str
    config: Mapping[str, Any]
    store: str | None = None


class ObserverSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describes an observer of a plugin. Creating the spec should import nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, optionally with a variant:
            ``"wandb:job"``.
        summary: One line for ``hpo plugins``.
        build: Builds the observer of a session from the study and the options, and imports what it
            needs. Raises `hpo_core.InvalidInput` for options that do not suit the study.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
        background: Whether the observer is notified in its own thread, by a bounded queue, so
            that it may wait for a server or a disk; see `hpo_core.plugin.BackgroundObserver`.
    """

    name: str
    summary: str
    build: Callable[[ObservedStudy, Any], Observer]
    options: type[msgspec.Struct] = NoOptions
    background: bool = False
