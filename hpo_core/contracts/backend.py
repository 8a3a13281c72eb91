"""The contract of a backend, which runs jobs and reports their events."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.failure import FailureCause
from hpo_core.model.function_reference import is_importable
from hpo_core.model.job import Job
from hpo_core.model.resources import Resources


class Clock(Protocol):
    """The controller's source of time."""

    def now(self) -> float:
        """Return seconds since the epoch. Never decreases, even if the system clock does."""
        ...


class Started(msgspec.Struct, frozen=True):
    """A job has started.

    Attributes:
        job_id: The job.
        time: The time, by the study's clock.
        handle: Plain JSON with which the backend can find the job again (such as a process id).
    """

    job_id: str
    time: float
    handle: Any = None


class Reported(msgspec.Struct, frozen=True):
    """A job has reported.

    Attributes:
        job_id: The job.
        time: When, by the study's clock.
        iteration: The iteration it reports; None if it does not count.
        metrics: The reported metrics; values may be NaN or infinite.
    """

    job_id: str
    time: float
    iteration: int | None
    metrics: Mapping[str, float]


class Outcome(enum.Enum):
    """How a job ended, from the view of the backend.

    COMPLETED means that it ended by itself, successfully; FAILED, by its own fault; CANCELLED,
    after a call of `Backend.cancel`. LOST means that it ended for reasons outside of the job: its
    machine is gone, or has not responded for so long that the job is considered lost. A lost job
    is run again, unless it was the tenth lost job in a row of its trial; later events of it are
    ignored. How a backend detects lost jobs (a heartbeat, the scheduler) is up to the backend.

    TIMED_OUT and SILENT: the backend ended it at `Job.time_limit` or `Job.silence_limit`, after
    handling everything that the job had reported. Only a backend with `BackendSpec.enforces_limits`
    uses these two.
    """

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    TIMED_OUT = "timed_out"
    SILENT = "silent"


class Finished(msgspec.Struct, frozen=True):
    """A job has ended. It has no further events, and none of its processes is left.

    Attributes:
        job_id: The job.
        time: The time, by the study's clock.
        outcome: How the job ended.
        reason: A human-readable reason; for FAILED the error (exit status, signal, traceback).
        metrics: The metrics that a function returned, if any: a last report.
        ran: Run time in seconds, measured by the supervising process, without the time in which the
            machine was suspended. None if unknown: then the time since Started is used.
        cause: For FAILED: the cause, if the backend can tell it apart. Else it is memory if the
            reason says so, and an error.
    """

    job_id: str
    time: float
    outcome: Outcome
    reason: str = ""
    metrics: Mapping[str, float] | None = None
    ran: float | None = None
    cause: FailureCause | None = None


JobEvent: TypeAlias = Started | Reported | Finished
"""The events of a job. Each job has at most one Started, any number of Reported, and exactly one
Finished, in that order.
"""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What the jobs of a study execute: a command, a function, or a kind of work from a plugin.

    Attributes:
        command: Argument list with ``{placeholders}``; never passed to a shell.
        function: ``"module:name"`` of a Python function.
        callable: The function itself, if the study runs in the process that defined it. A function
            that is not `is_importable` exists only here; see `BackendSpec.live_functions`.
        kind: The name of a `WorkSpec`, for a backend that supports this kind.
        options: The options of that kind of work, of the type that its spec declares.
        directory: Working directory of the jobs, also on the import path for the function's module.
        environment: Environment variables of the jobs, in addition to those of the controller.
        metric: The metric of a number that a function returns; None with several objectives.
    """

    command: tuple[str, ...] | None = None
    function: str | None = None
    callable: Callable[..., Any] | None = None
    kind: str | None = None
    options: Any = None
    directory: str = "."
    environment: Mapping[str, str] = {}
    metric: str | None = None

    @property
    def is_importable(self) -> bool:
        """Whether other processes can import the function by its reference `function`."""
        return self.function is not None and is_importable(self.function)


class BackendContext(msgspec.Struct, frozen=True, kw_only=True):
    """Information about a study, passed to a backend when it is built.

    Attributes:
        study: The study's name.
        study_uid: A unique id of this study in its folder; a copy of the folder has a different id.
            Its processes have it in their environment (``HPO_STUDY_UID``).
        work: What jobs execute.
        workers: Maximum number of jobs that run at once.
        clock: The clock from which the ``time`` of every event comes.
        decides: Whether the strategy may stop or pause jobs. If so, a function's ``report`` waits
            for the decision.
        folder: A folder for data that must outlive the controller, such as how to reach running
            jobs. The backend creates it when needed. None for a study in memory, which does not
            outlive its controller.
        resources: What each job needs; None for no limits. Only what `BackendSpec.resources` names.
        deliver: A function that passes one event to the controller, called within `Backend.events`
            and on the same thread. It returns once the event is handled; the job may then be
            cancelled. For backends that run jobs in the controller's thread; other backends return
            their events.
    """

    study: str
    study_uid: str
    work: Work
    workers: int
    clock: Clock
    decides: bool
    deliver: Callable[[JobEvent], None]
    folder: str | None = None
    resources: Resources | None = None


class Backend(Protocol):
    """Runs jobs. All methods except `wake` are called from the controller's thread."""

    def submit(self, job: Job) -> None:
        """Start a job. At most `BackendContext.workers` jobs run at once.

        A backend with `BackendSpec.queues` gets more: those beyond wait for a worker.
        A job that cannot be started is a Finished event, not an exception.
        """
        ...

    def cancel(self, job_id: str, *, grace: float) -> None:
        """Terminate a job: request it to end, and kill it after `grace` seconds.

        Returns immediately; the end of the job is a Finished event. Does nothing if the job has
        already ended.
        """
        ...

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        """Wait for events, and return them.

        The next call acknowledges all reports returned before: their jobs continue, except those
        that were cancelled in between.

        Args:
            timeout: Maximum time to wait in seconds; None to wait indefinitely.

        Returns:
            The events in order; none after the timeout or a call of `wake`.
        """
        ...

    def wake(self) -> None:
        """Make `events` return soon, even without events. Safe in any thread and signal handler."""
        ...

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take over the jobs of a controller that died, each with its handle and `Job.reports`.

        Their events follow from the first report that is not recorded; Started is not repeated. A
        job without a handle may have been queued: its Started may follow.

        Returns:
            The ids of the jobs that are alive and whose events this backend will return. All other
            jobs have been ended: none of their processes is left.
        """
        ...

    def close(self) -> None:
        """End all remaining jobs immediately, and release all resources. Always the last call."""
        ...


class BackendSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describes a backend of a plugin. Creating the spec should import nothing heavy.

    Attributes:
        name: The config string: the plugin's entry-point name, optionally with a variant:
            ``"dask:ssh"``.
        summary: One line for ``hpo plugins``.
        build: Builds the backend, and imports what it needs. Raises `BackendError` for work that
            the backend cannot run.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
        enforces_limits: Whether the backend ends jobs at `Job.time_limit` and `Job.silence_limit`.
            If not, the controller cancels them.
        most_workers: Maximum number of jobs that it can run at once; None for no limit.
        works: The kinds of work that it supports besides commands and functions.
        resources: The resources that it gives to each job, of ``gpus``, ``cpus`` and ``memory``. A
            study whose jobs need others is refused.
        live_functions: Whether it also runs functions that other processes cannot import, such as a
            lambda or a function of a notebook: it calls or sends `Work.callable`.
        capacity: Returns how many jobs with these resources it can run at once, with its options:
            the number of workers of a study that gives none. None if that is unknown.
        placeholders: The placeholders that it fills in besides those of every backend, of ``gpu``
            (the GPUs of the job, as in CUDA_VISIBLE_DEVICES) and ``worker`` (a number from 0, of
            which no other running job has the same). A study that uses others is refused.
        queues: Whether it takes more jobs than `BackendContext.workers`. Those beyond wait, and
            start in their order, each as soon as a worker is free. One that is cancelled while it
            waits ends without a Started.
    """

    name: str
    summary: str
    build: Callable[[BackendContext, Any], Backend]
    options: type[msgspec.Struct] = NoOptions
    enforces_limits: bool = False
    most_workers: int | None = None
    works: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    live_functions: bool = False
    capacity: Callable[[Resources, Any], int] | None = None
    placeholders: frozenset[str] = frozenset()
    queues: bool = False


class WorkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describes a kind of work, such as a container or a job of a queue, for backends that run it.

    A study selects it as ``job.work``, in place of a command or a function. A backend that has the
    name in its `BackendSpec.works` gets it as `Work.kind`, with `Work.options`.

    Attributes:
        name: The config string: the plugin's entry-point name, optionally with a variant:
            ``"pod:gpu"``.
        summary: One line for ``hpo plugins``.
        options: A frozen `msgspec.Struct` with the options, their types and defaults.
    """

    name: str
    summary: str
    options: type[msgspec.Struct] = NoOptions
