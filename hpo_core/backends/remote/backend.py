"""RemoteBackend: a backend for everything but the engine that starts jobs elsewhere."""

from __future__ import annotations

import abc
import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hpo_core.backends.remote.channel import ReportChannel
from hpo_core.backends.remote.endpoint import Endpoint, new_key, write_private
from hpo_core.backends.remote.mailbox import Mailbox
from hpo_core.backends.remote.order import JobOrder, OrderBook, order_of
from hpo_core.backends.remote.records import JobBegan, JobEnded, JobSaid, Record, as_finished
from hpo_core.backends.remote.remote_job import RemoteJob
from hpo_core.backends.remote.wire import SignedConnection
from hpo_core.backends.remote.worker_numbers import WorkerNumbers
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.client import make_folder
from hpo_core.contracts.backend import (
    BackendContext,
    Finished,
    JobEvent,
    Outcome,
    Reported,
    Started,
)
from hpo_core.model.errors import BackendError
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import Job

_log = logging.getLogger("hpo_core")

_LAST_WORDS = 10.0
"""Seconds in which an agent whose job has ended has closed its connection."""

_CLOSES_IN = 15.0
"""Maximum time in seconds for jobs to end after `RemoteBackend.close`."""


class RemoteBackend(abc.ABC):
    """Runs jobs as agents that an engine starts: inherit it and say how.

    Implement `launch` and `kill`. Where the engine says what becomes of a job, call `ended`; what
    other threads say goes through `post`. Jobs report, are decided on, cancelled, adopted and
    counted as lost without more. Everything here is called from the controller's thread.

    Args:
        context: The study.
        host: The address to listen at for the reports of jobs; ``""`` for every address.
        port: The port to listen at; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` at which jobs reach the controller, if that is another.
        shares_folder: Whether jobs can read and write `BackendContext.folder`: then they outlive
            their controller.
        patience: Seconds after which a job that has lost its connection counts as lost.

    Raises:
        BackendError: If there is nothing to run, or it cannot listen there.
    """

    def __init__(
        self,
        context: BackendContext,
        *,
        host: str = "",
        port: int = 0,
        reach: str = "",
        shares_folder: bool = True,
        patience: float = 30.0,
    ) -> None:
        self._book = OrderBook(context)
        self._numbers = WorkerNumbers()
        self._now = context.clock.now
        self._folder = "" if context.folder is None else os.path.abspath(context.folder)
        self._shared = self._folder if shares_folder else ""
        self._patience = patience
        self._jobs: dict[str, RemoteJob] = {}
        self._new: dict[str, RemoteJob] = {}
        self._to_kill: dict[str, None] = {}
        self._parting: list[RemoteJob] = []  # whose end is about to be recorded
        self._early: dict[str, SignedConnection] = {}  # of an earlier controller's jobs
        self._is_settled = False  # whether it is known which jobs there are
        self._is_closed = False
        self._loop: Loop[JobEvent] = Loop()
        self._mailbox = Mailbox(self._loop)
        try:
            self._channel = self._listen(host, port, reach)
        except BackendError:
            self._mailbox.close()
            self._loop.close()
            raise

    # -- yours to write -------------------------------------------------------------------------

    @abc.abstractmethod
    def launch(self, orders: Sequence[JobOrder]) -> None:
        """Have the engine run orders: each by `run_order`, or by `agent_command` on its file.

        Call `launched` for each that the engine has taken, now or later, and `ended` for each that
        it refuses.
        """

    @abc.abstractmethod
    def kill(self, job_ids: Sequence[str]) -> None:
        """Have the engine end jobs that were launched, or take them out of its queue.

        It is called for jobs that have not started, and for those that did not end by themselves.
        `ended` follows. Does nothing for those that have ended.
        """

    def find(self, jobs: Sequence[Job]) -> Mapping[str, Any]:
        """Return which jobs of a dead controller run or are queued, each with its handle.

        End all others of this study. By default those run whose agent holds its spool.
        """
        return {job.id: job.handle for job in jobs if self._remote(job).lives()}

    def disconnected(self, job_id: str) -> None:
        """Handle a running job that has lost its connection. By default, give it time to return.

        An engine that knows what became of it can be asked instead.
        """
        self.later(
            ("lost", job_id),
            self._patience,
            lambda: self.ended(
                job_id,
                Outcome.LOST,
                f"its connection was lost, and did not come back in {self._patience:g} s",
            ),
        )

    def confirm(self, finished: Finished, signalled: bool) -> Finished | None:
        """Return how a job ended, given what its agent says. None: a call of `ended` says so.

        Args:
            finished: What its agent says.
            signalled: Whether a signal to terminate has ended it, that neither the study nor the
                job itself had sent.
        """
        if signalled and finished.outcome is not Outcome.COMPLETED:
            reason = "its machine has ended it by a signal"
            return Finished(finished.job_id, finished.time, Outcome.LOST, reason, ran=finished.ran)
        return finished

    def shut_down(self) -> None:  # noqa: B027  # most engines need nothing
        """Wait until all jobs have ended, and release what is the engine's; `kill` was called."""

    # -- yours to call --------------------------------------------------------------------------

    def launched(self, job_id: str, handle: Any) -> None:
        """Set the handle with which the engine finds a job again: plain JSON."""
        job = self._jobs.get(job_id)
        if job is not None:
            job.handle = handle

    def ended(
        self,
        job_id: str,
        outcome: Outcome,
        reason: str = "",
        cause: FailureCause | None = None,
    ) -> None:
        """Say that a job has ended, or cannot be started, from the view of the engine.

        What its agent has said of its end takes precedence, except after `confirm` has returned
        None. Does nothing if the end is known.
        """
        job = self._jobs.get(job_id)
        if job is None:
            return
        told = Finished(job_id, self._now(), outcome, reason, cause=cause)
        if job.end is not None and job.have:  # `confirm` waits for this
            told = Finished(job_id, told.time, outcome, reason, job.end.metrics, job.end.ran, cause)
            self._finish(job, told)
            return
        job.end = told
        if job.connection is None:
            self._conclude(job)
        else:
            self.later(("last words", job_id), _LAST_WORDS, lambda: self._conclude(job))

    def confirmed(self, job_id: str) -> None:
        """Say that a job has ended as its agent says, after `confirm` has returned None."""
        job = self._jobs.get(job_id)
        if job is not None and job.unsure is not None:
            self._finish(job, job.unsure)

    def post(self, call: Callable[[], object]) -> None:
        """Have the controller's thread call something soon. Safe in any thread."""
        self._mailbox.post(call)

    def later(self, name: Hashable, seconds: float, call: Callable[[], object]) -> None:
        """Call something once in a number of seconds; a name has one pending call, the earliest."""
        self._loop.later(name, seconds, call)

    def never(self, name: Hashable) -> None:
        """Cancel a call that `later` has scheduled."""
        self._loop.never(name)

    def is_under_way(self, job_id: str) -> bool:
        """Return whether a job was submitted or adopted, and its end is not known."""
        return job_id in self._jobs

    def is_connected(self, job_id: str) -> bool:
        """Return whether a job's agent is connected."""
        job = self._jobs.get(job_id)
        return job is not None and job.connection is not None

    def has_started(self, job_id: str) -> bool:
        """Return whether a job's process has started, as far as its agent has said so."""
        job = self._jobs.get(job_id)
        return job is not None and job.has_started

    def is_unsure(self, job_id: str) -> bool:
        """Return whether a job's agent has said how it ended, and `confirm` has returned None."""
        job = self._jobs.get(job_id)
        return job is not None and job.unsure is not None

    def read_spool(self, job_id: str) -> bool:
        """Handle what a job without a connection has written into its spool; return whether it did.

        Its records are handled like those that come over a connection.
        """
        job = self._jobs.get(job_id)
        if job is None or job.connection is not None:
            return False
        try:
            new = job.spooled()
        except (OSError, ValueError) as error:
            self._finish(job, self._failed(job, f"the job's records are damaged: {error}"))
            return True
        for record in new:
            self._handle(job, record)
        return bool(new)

    def order_file(self, order: JobOrder) -> str:
        """Write an order into the shared folder, and return the file."""
        path = self._order_path(order.job_id)
        make_folder(os.path.dirname(path))
        write_private(path, order.text.encode())
        return path

    @property
    def port(self) -> int:
        """The port at which the controller listens for the reports of jobs."""
        return self._channel.port

    @property
    def endpoint(self) -> Endpoint:
        """How jobs reach the controller."""
        return self._channel.endpoint

    @property
    def shared_folder(self) -> str:
        """The folder that jobs share with the controller; ``""`` if there is none."""
        return self._shared

    # -- the contract ---------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        self._settle()
        self._jobs[job.id] = self._new[job.id] = self._remote(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        job = self._jobs.get(job_id)
        if job is None:
            return
        is_again = job.cancelled
        job.cancelled, job.grace = True, min(grace, job.grace) if is_again else grace
        if self._new.pop(job_id, None) is not None:
            self._finish(job, Finished(job_id, self._now(), Outcome.CANCELLED))
        elif job.connection is not None:
            job.connection.send("cancel", grace)
            self._kill_later(job_id, grace + _LAST_WORDS)
        elif job.has_started:
            self._kill_later(job_id, grace)
        else:
            self._to_kill[job_id] = None

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        if self._is_closed:
            raise BackendError("the backend is closed")
        self._settle()
        for job in (*self._jobs.values(), *self._parting):
            job.answer()
        self._parting.clear()
        self._carry_out()
        return self._loop.run(timeout)

    def wake(self) -> None:
        if not self._is_closed:
            self._loop.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take over the jobs of a dead controller that run or have ended with a known result."""
        found = self.find(jobs)
        adopted: list[str] = []
        for job in jobs:
            remote = self._remote(job)
            remote.is_launched = True
            if job.id in found or remote.has_ended_in_spool():
                remote.handle = found.get(job.id, job.handle)
                self._numbers.hold(job.id, self._ordered_worker(job.id))
                self._jobs[job.id] = remote
                adopted.append(job.id)
            else:
                self._withdraw(job.id)
        self._settle()
        for job_id in adopted:
            self.read_spool(job_id)
        return adopted

    def close(self) -> None:
        """End all jobs immediately, and wait until none of their processes is left."""
        if self._is_closed:
            return
        launched = [job_id for job_id, job in self._jobs.items() if job.is_launched]
        for job_id in launched:
            self.cancel(job_id, grace=0.0)
        for job in self._parting:
            job.answer()
        try:
            self._wait_until(lambda: not any(self.is_connected(each) for each in launched), 3.0)
            self.kill([job_id for job_id in launched if job_id in self._jobs])
            self._wait_until(lambda: not any(self.is_connected(each) for each in launched))
            self.shut_down()
        finally:
            self._is_closed = True
            self._channel.close()
            self._mailbox.close()
            self._loop.close()
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)

    # -- jobs -----------------------------------------------------------------------------------

    def _remote(self, job: Job) -> RemoteJob:
        have = 0 if job.handle is None else 1 + job.reports
        return RemoteJob(job, self._spool(job.id), have)

    def _spool(self, job_id: str) -> str:
        return os.path.join(self._shared, "spools", job_id) if self._shared else ""

    def _order_path(self, job_id: str) -> str:
        return os.path.join(self._shared, "orders", f"{job_id}.json")

    def _ordered_worker(self, job_id: str) -> int:
        """Return the number of the worker in the order of an earlier controller."""
        try:
            return order_of(Path(self._order_path(job_id)).read_bytes()).worker
        except (OSError, ValueError):  # it has ended: its number is free soon
            return 0

    def _withdraw(self, job_id: str) -> None:
        """Remove the order of a job that is not to begin, should an engine still try it."""
        if self._shared:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._order_path(job_id))

    def _order(self, job: RemoteJob) -> JobOrder:
        shared = self._shared
        return self._book.order(
            job.job,
            spool=self._spool(job.id),
            endpoint=None if shared else self._channel.endpoint,
            endpoint_file=os.path.join(shared, "endpoint.json") if shared else "",
            outlives=bool(shared),
            patience=self._patience,
            worker=self._numbers.take(job.id),
        )

    def _carry_out(self) -> None:
        """Launch and kill jobs, all those of a turn at once."""
        if self._new:
            new, self._new = list(self._new.values()), {}
            for job in new:
                job.is_launched = True
            self.launch([self._order(job) for job in new])
        if self._to_kill:
            doomed, self._to_kill = [each for each in self._to_kill if each in self._jobs], {}
            if doomed:
                self.kill(doomed)

    def _kill_later(self, job_id: str, seconds: float) -> None:
        def kill() -> None:
            if job_id in self._jobs:
                self.kill([job_id])

        self.later(("kill", job_id), seconds, kill)

    def _handle(self, job: RemoteJob, record: Record) -> None:
        now = self._now()
        time = now if job.connection is not None else min(record.time, now)
        match record:
            case JobBegan(_, host, pid):
                job.has_started = True
                handle = job.handle if job.handle is not None else {"host": host, "pid": pid}
                self._loop.emit(Started(job.id, time, handle))
            case JobSaid(_, iteration, metrics):
                self._loop.emit(Reported(job.id, time, iteration, metrics))
            case JobEnded():
                told = as_finished(job.id, record, time)
                if job.cancelled and record.signalled:
                    told = Finished(job.id, time, Outcome.CANCELLED, ran=record.ran)
                finished = self.confirm(told, record.signalled and not job.cancelled)
                if finished is not None:
                    self._finish(job, finished)
                else:
                    job.unsure = told
                    job.answer()  # so that the agent ends, and the engine says how

    def _conclude(self, job: RemoteJob) -> None:
        """The engine says that a job has ended: read what it has left, then believe the engine."""
        if not self.is_under_way(job.id):
            return
        end = job.end
        if job.connection is not None:
            self._channel.drop(job.connection)
            job.connection = None
        self.read_spool(job.id)
        if self.is_under_way(job.id) and end is not None:
            if job.cancelled:
                end = Finished(job.id, end.time, Outcome.CANCELLED)
            self._finish(job, end)

    def _finish(self, job: RemoteJob, finished: Finished) -> None:
        del self._jobs[job.id]
        self._new.pop(job.id, None)
        self._to_kill.pop(job.id, None)
        self._withdraw(job.id)
        self._numbers.give_back(job.id)
        for name in ("lost", "kill", "last words"):
            self.never((name, job.id))
        if job.connection is not None:
            if finished.outcome is Outcome.LOST:  # whatever still runs there must end
                job.connection.send("gone")
            else:
                self._parting.append(job)
        self._loop.emit(finished)

    def _failed(self, job: RemoteJob, reason: str) -> Finished:
        return Finished(job.id, self._now(), Outcome.FAILED, reason)

    # -- connections ----------------------------------------------------------------------------

    def _listen(self, host: str, port: int, reach: str) -> ReportChannel:
        path = os.path.join(self._folder, "endpoint.json")
        before = Endpoint.read(path) if self._folder else None
        key = new_key() if before is None else before.key

        def listen(at: int) -> ReportChannel:
            return ReportChannel(
                self._loop,
                key,
                host=host,
                port=at,
                reach=reach,
                on_open=self._opened,
                on_message=self._hear,
                on_close=self._closed,
            )

        try:  # where jobs of an earlier controller look for it
            channel = listen(port or (0 if before is None else before.port))
        except BackendError:
            if port:
                raise
            channel = listen(0)
        if self._folder:
            channel.endpoint.write(path)
        return channel

    def _settle(self) -> None:
        """Answer the agents that have connected before it was known which jobs there are."""
        if not self._is_settled:
            self._is_settled = True
            early, self._early = self._early, {}
            for connection in early.values():
                if connection.is_open:
                    self._opened(connection)

    def _opened(self, connection: SignedConnection) -> None:
        job = self._jobs.get(connection.job_id)
        if not self._is_settled:
            self._early[connection.job_id] = connection
        elif job is None:
            connection.send("gone")
        else:
            if job.connection is not None:
                self._channel.drop(job.connection)
            self.never(("lost", job.id))
            job.connected(connection)

    def _hear(self, connection: SignedConnection, message: list[Any]) -> None:
        job = self._jobs.get(connection.job_id)
        if job is None or job.connection is not connection:
            return
        try:
            match message:
                case ["record", int(index), content]:
                    record = job.received(index, content)
                    if record is not None:
                        self._handle(job, record)
        except ValueError as error:
            _log.warning("the agent of job %s is not understood: %s", job.id, error)
            self._channel.drop(connection)
            self._closed(connection)

    def _closed(self, connection: SignedConnection) -> None:
        job = self._jobs.get(connection.job_id)
        if job is None or job.connection is not connection:
            return
        job.connection = None
        if job.end is not None:
            self._conclude(job)
        elif job.unsure is None:
            self.disconnected(job.id)

    def _wait_until(self, is_so: Callable[[], bool], at_most: float = _CLOSES_IN) -> None:
        until = time.monotonic() + at_most
        while not is_so() and (left := until - time.monotonic()) > 0:
            self._loop.run(min(left, 0.2))
            for job in self._parting:
                job.answer()
