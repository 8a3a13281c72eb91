"""The contract of a backend: it runs jobs, and says what becomes of them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.job import Job


class Clock(Protocol):
    """Where the controller takes its time from."""

    def now(self) -> float:
        """Return seconds since the epoch; never less than before, whatever the system does."""
        ...


class Started(msgspec.Struct, frozen=True):
    """A job has begun to run.

    Attributes:
        job_id: The job.
        time: When, by the study's clock.
        handle: Plain JSON by which the backend may find the job again (a process id).
    """

    job_id: str
    time: float
    handle: Any = None


class Reported(msgspec.Struct, frozen=True):
    """A job has reported.

    Attributes:
        job_id: The job.
        time: When, by the study's clock.
        iteration: How far it says it is, if it counts.
        metrics: What it measured; values may be NaN or infinite.
    """

    job_id: str
    time: float
    iteration: int | None
    metrics: Mapping[str, float]


class Outcome(enum.Enum):
    """How a job ended, as the backend sees it.

    COMPLETED: by itself, and well. FAILED: by its own fault. CANCELLED: because `Backend.cancel`
    was called. LOST: by no fault of its own: its machine vanished, or was not heard of for so long
    that it is given up. A lost job is run again, unless it was the tenth in a row of its trial;
    what comes of it later changes nothing. How a backend knows (a heartbeat, a scheduler's word)
    is its own affair; a process of this machine never vanishes unseen.
    TIMED_OUT and SILENT: the backend ended it at `Job.time_limit` or `Job.silence_limit`, after
    it had handled everything that the job had reported. Only a backend whose
    `BackendSpec.enforces_limits` is true gives these two.
    """

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    TIMED_OUT = "timed_out"
    SILENT = "silent"


class Finished(msgspec.Struct, frozen=True):
    """A job has ended; nothing comes of it any more, and nothing of it is left running.

    Attributes:
        job_id: The job.
        time: When, by the study's clock.
        outcome: How.
        reason: For people; for FAILED what went wrong (exit status, signal, traceback).
        metrics: What a function returned, if it did: a last report, with the end.
        ran: Seconds that the job ran, as the process that supervised it measured them; the time
            in which the machine was suspended does not count. None if the backend can't tell:
            then it is the time since Started.
    """

    job_id: str
    time: float
    outcome: Outcome
    reason: str = ""
    metrics: Mapping[str, float] | None = None
    ran: float | None = None


JobEvent: TypeAlias = Started | Reported | Finished
"""What a backend says of a job. Each job has at most one Started, any number of Reported,
and exactly one Finished, in that order."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What the jobs of a study execute: a command, a function, or a kind that a plugin brings.

    Attributes:
        command: An argument list with ``{placeholders}``; never given to a shell.
        function: ``"module:name"`` of a Python function.
        callable: The function itself, where the study runs in the process that defined it.
        kind: The name of a `WorkSpec`, for a backend that announces that it runs this kind.
        options: The options of that kind, of its own type.
        directory: The folder in which jobs run, and where the function's module is looked for.
        environment: Variables for the jobs, on top of the controller's own.
        metric: What a number that a function returns is called; None with several objectives.
    """

    command: tuple[str, ...] | None = None
    function: str | None = None
    callable: Callable[..., Any] | None = None
    kind: str | None = None
    options: Any = None
    directory: str = "."
    environment: Mapping[str, str] = {}
    metric: str | None = None


class BackendContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend is told of a study when it is built.

    Attributes:
        study: The study's name.
        study_uid: Unique for this study in its folder, of which a copy has another one; in the
            environment of its processes (``HPO_STUDY_UID``).
        work: What jobs execute.
        workers: How many jobs are submitted at once, at the most.
        clock: The time; every event's ``time`` comes from it.
        decides: Whether the strategy may stop or pause jobs: a function's ``report`` then waits
            for the decision.
        folder: Where a backend may keep what has to outlive the controller, such as how to reach
            the jobs under way; it is made when it is needed. None for a study in memory: nothing of
            it outlives its controller.
        deliver: Hands over one event, from within `Backend.events` and on the same thread, and
            returns when it has been dealt with: cancelled or not. For backends that run jobs in
            the controller's own thread; the others return their events.
    """

    study: str
    study_uid: str
    work: Work
    workers: int
    clock: Clock
    decides: bool
    deliver: Callable[[JobEvent], None]
    folder: str | None = None


class Backend(Protocol):
    """Runs jobs. Every method but `wake` is called from one thread, the controller's."""

    def submit(self, job: Job) -> None:
        """Begin a job. Never more than `BackendContext.workers` are under way at once.

        A job that can't be begun is a Finished event, not an exception.
        """
        ...

    def cancel(self, job_id: str, *, grace: float) -> None:
        """End a job: ask it to, and force it after `grace` seconds.

        It returns at once; the end comes as a Finished event. For a job that has already ended
        it does nothing.
        """
        ...

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        """Wait for something to happen, and return it.

        A job whose report was returned here, and that has not been cancelled when this is called
        again, may go on: the call is the answer to all reports before it.

        Args:
            timeout: Seconds to wait at the most; None for as long as it takes.

        Returns:
            Events in their order; none after the timeout, or when `wake` was called.
        """
        ...

    def wake(self) -> None:
        """Make `events` return soon, even with nothing; safe from any thread or signal handler."""
        ...

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take over jobs of a controller that died; each with its handle and its `Job.reports`.

        What they have said since comes as their events, from their first report on that is not
        recorded; Started does not come again.

        Returns:
            The ids of those that are still alive, and whose events will come from here. All
            others have been ended: no process of theirs is left.
        """
        ...

    def close(self) -> None:
        """End all that is left, at once, and free everything. Nothing is called after it."""
        ...


class BackendSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Announces one backend of a plugin; making it imports nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, or with a variant, ``"dask:ssh"``.
        summary: One line for ``hpo plugins``.
        build: Makes the backend; imports what it needs. It raises `hpo_core.BackendError` for
            work that it can't run.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
        enforces_limits: Whether the backend itself ends jobs at `Job.time_limit` and
            `Job.silence_limit`. If not, the controller cancels them.
        most_workers: How many jobs it can run at once; None for any number.
        works: The names of the kinds of work that it runs besides commands and functions.
    """

    name: str
    summary: str
    build: Callable[[BackendContext, Any], Backend]
    options: type[msgspec.Struct] = NoOptions
    enforces_limits: bool = False
    most_workers: int | None = None
    works: frozenset[str] = frozenset()


class WorkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Announces a kind of work, for backends that run it: a container, a job of a queue.

    A study names it as ``job.work``, in place of a command or a function, and a backend that has
    the name among its `BackendSpec.works` gets it as `Work.kind`, with `Work.options`.

    Attributes:
        name: The config string: the plugin's entry-point name, or with a variant, ``"pod:gpu"``.
        summary: One line for ``hpo plugins``.
        options: A frozen `msgspec.Struct` that says what is run, with types and defaults.
    """

    name: str
    summary: str
    options: type[msgspec.Struct] = NoOptions
