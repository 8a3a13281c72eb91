"""The contract of an observer: it is told what happens, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.budget import Budget, Usage
from hpo_core.model.job import Job, JobState, StudyState
from hpo_core.model.objective import Losses, Objective


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a study is.

    Attributes:
        running: Jobs under way.
        completed: Trials completed.
        failed: Trials failed or timed out.
        stopped: Trials that were stopped early.
        paused: Trials that may be resumed.
        usage: What is used of the budget.
    """

    running: int
    completed: int
    failed: int
    stopped: int
    usage: Usage
    paused: int = 0


class StudyStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A study begins, or is resumed.

    Attributes:
        name: The study's name.
        objectives: Its objectives.
        budget: Its limits.
        workers: How many jobs run at once.
        strategy: The strategy's config string.
        time: When, in seconds since the epoch.
        progress: What earlier sessions have done.
        best: The losses of earlier sessions' incumbent, if there is one.
    """

    name: str
    objectives: tuple[Objective, ...]
    budget: Budget
    workers: int
    strategy: str
    time: float
    progress: Progress
    best: Losses | None = None


class JobStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A job has begun to run."""

    job: Job
    time: float
    progress: Progress


class JobReported(msgspec.Struct, frozen=True, kw_only=True):
    """A job has reported.

    Attributes:
        job: The job.
        time: When, in seconds since the epoch.
        iteration: How far it says it is.
        metrics: What it measured; values may be NaN or infinite.
    """

    job: Job
    time: float
    iteration: int | None
    metrics: Mapping[str, float]


class FinishedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that has ended, as callbacks and observers see it.

    Attributes:
        job: The job.
        state: How it ended.
        reason: Why, for people; empty if all is well.
        seconds: How long it ran.
        iteration: The last iteration that it reported.
        losses: The trial's losses; None if it has none that count.
        values: The same as values of the objectives' metrics, by metric.
        is_best: Whether the trial is the best so far (with several objectives: whether no
            trial so far dominates it).
    """

    job: Job
    state: JobState
    reason: str
    seconds: float
    iteration: int | None
    losses: Losses | None
    values: Mapping[str, float]
    is_best: bool = False


class JobFinished(msgspec.Struct, frozen=True, kw_only=True):
    """A job has ended, and its result is stored."""

    finished: FinishedJob
    time: float
    progress: Progress


class StudyEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The controller is done with a study, for now or for good."""

    name: str
    state: StudyState
    reason: str
    time: float
    progress: Progress


StudyEvent: TypeAlias = StudyStarted | JobStarted | JobReported | JobFinished | StudyEnded
"""What an observer may be told; `match` over it."""


class Observer(Protocol):
    """Is told what happens in a study."""

    def observe(self, event: StudyEvent, /) -> None:
        """Handle an event, quickly: the controller waits.

        An observer that raises is logged once and dropped; the search goes on.
        """
        ...


class ObservedStudy(msgspec.Struct, frozen=True, kw_only=True):
    """What an observer knows of a study when it is built, before the study begins.

    Attributes:
        name: The study's name.
        config: Its configuration, as plain JSON with every default filled in.
        store: The path of the store; None for a study in memory.
    """

    name: str
    config: Mapping[str, Any]
    store: str | None = None


class ObserverSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Announces one observer of a plugin; making it imports nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, or with a variant, ``"wandb:job"``.
        summary: One line for ``hpo plugins``.
        build: Makes the observer of one session, from the study and the options; imports what it
            needs. It raises `hpo_core.InvalidInput` for options that don't suit the study.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
    """

    name: str
    summary: str
    build: Callable[[ObservedStudy, Any], Observer]
    options: type[msgspec.Struct] = NoOptions
