"""The backend `inline`: runs a Python function in the controller's own process and thread.

The fastest backend for functions that take microseconds, and the easiest to debug. One job runs at
a time, in the controller's current directory. Its output goes to its log, see
`hpo_core.backends.printed`. A job can only be stopped when it reports.
"""

from __future__ import annotations

import os
import queue
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout

from hpo_core import client
from hpo_core.backends.functions import Call, caller, described, load, shortened
from hpo_core.backends.printed import PrintedLog
from hpo_core.contracts.backend import (
    BackendContext,
    BackendSpec,
    Finished,
    JobEvent,
    Outcome,
    Reported,
    Started,
)
from hpo_core.contracts.hookspecs import hookimpl
from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.errors import BackendError
from hpo_core.model.job import Job
from hpo_core.model.values import Configuration, fresh, has_parts


class InlineBackend:
    """Runs one queued job in each call of `events`.

    Args:
        context: Information about the study.
        call: Calls the study's function.
    """

    def __init__(self, context: BackendContext, call: Call) -> None:
        self._call = call
        self._deliver = context.deliver
        self._now = context.clock.now
        self._metric = context.work.metric
        self._queue: deque[Job] = deque()
        self._running: str | None = None
        self._stopped = False
        self._broken: BaseException | None = None
        self._ended: list[JobEvent] = []
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()  # safe in signal handlers

    def submit(self, job: Job) -> None:
        self._queue.append(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        if job_id == self._running:
            self._stopped = True
        for job in self._queue:
            if job.id == job_id:
                self._queue.remove(job)
                self._ended.append(Finished(job_id, self._now(), Outcome.CANCELLED))
                break

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        if self._ended:
            ended, self._ended = self._ended, []
            return ended
        if self._queue:
            return (self._run(self._queue.popleft()),)
        self._wait(timeout)
        return ()

    def wake(self) -> None:
        self._wakes.put(None)

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        return ()  # they ran in the controller's process and died with it

    def close(self) -> None:
        self._queue.clear()
        self._ended.clear()

    def _wait(self, timeout: float | None) -> None:
        try:
            self._wakes.get(timeout=None if timeout is None else max(timeout, 0.0))
            while True:
                self._wakes.get_nowait()
        except queue.Empty:
            return

    def _run(self, job: Job) -> Finished:
        def send(iteration: int | None, metrics: Mapping[str, float]) -> None:
            if not self._stopped:
                try:
                    with log.aside():
                        self._deliver(Reported(job.id, self._now(), iteration, metrics))
                except BaseException as error:  # noqa: BLE001  # raised again at the end
                    self._broken, self._stopped = error, True
            if self._stopped:
                raise client.JobStopped(f"job {job.id} should end here")

        configuration = job.configuration
        if any(map(has_parts, configuration.values())):
            copies = {name: fresh(value) for name, value in configuration.items()}
            configuration = Configuration(copies)
        info = client.JobInfo(
            job.id, job.trial_id, configuration, job.iterations, job.checkpoint_dir
        )
        self._running = job.id
        self._stopped = False
        token = client.current.set(client.ConnectedJob(info, send))
        try:
            self._deliver(Started(job.id, self._now()))
            with PrintedLog(job.log) as log:
                outcome, reason, metrics = self._outcome(info)
        finally:
            client.current.reset(token)
            self._running = None
        if self._broken is not None:
            raise self._broken
        return Finished(job.id, self._now(), outcome, reason, metrics)

    def _outcome(self, info: client.JobInfo) -> tuple[Outcome, str, Mapping[str, float] | None]:
        """Run the function and return the outcome; a KeyboardInterrupt is propagated."""
        if self._stopped:
            return Outcome.CANCELLED, "", None
        try:
            value = self._call(info)
        except client.JobStopped as error:
            if self._stopped:
                return Outcome.CANCELLED, "", None
            return Outcome.FAILED, described(error), None
        except (Exception, SystemExit) as error:  # noqa: BLE001  # any exception is the job's fault
            return Outcome.FAILED, described(error), None
        try:
            metrics = client.returned(value, self._metric)
        except Exception as error:  # noqa: BLE001  # a value's __float__ may raise any exception
            return Outcome.FAILED, shortened(str(error)), None
        return Outcome.CANCELLED if self._stopped else Outcome.COMPLETED, "", metrics


def build(context: BackendContext, options: NoOptions) -> InlineBackend:
    """Build the backend.

    Raises:
        BackendError: If the study runs a command, sets variables for its jobs, or has a function
            that cannot be loaded.
    """
    work = context.work
    if work.command is not None:
        raise BackendError(
            "the inline backend runs Python functions in this process, not commands; choose "
            "backend 'local'"
        )
    if work.environment:
        raise BackendError(
            f"the inline backend runs jobs in this process and sets no variables for them "
            f"({', '.join(work.environment)}); choose backend 'local', or leave them out"
        )
    if work.callable is not None:
        return InlineBackend(context, caller(work.callable))
    if work.function is None:
        raise BackendError("there is nothing to run; give the study a function")
    try:
        with redirect_stdout(sys.stderr):  # standard output is reserved for hpo's own output
            function = load(work.function, os.path.abspath(work.directory))
    except (Exception, SystemExit) as error:
        raise BackendError(f"cannot load {work.function!r}: {described(error)}") from error
    return InlineBackend(context, caller(function))


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Return the spec of the backend."""
    summary = "Python functions, one at a time, in the controller's own process"
    return [
        BackendSpec(
            name="inline", summary=summary, build=build, most_workers=1, live_functions=True
        )
    ]
