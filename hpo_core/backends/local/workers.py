"""Jobs that are calls of a Python function, in warm worker processes that are reused.

A job has its worker from the moment it is submitted: an idle one, or a new one that is started
for it. A worker that dies, or must be killed, is not missed: the next job that finds none idle
starts another.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sys
from typing import Any

import msgspec

from hpo_core.backends import journal
from hpo_core.backends.line import LINE_CLOSED
from hpo_core.backends.local.hearing import ended_badly
from hpo_core.backends.local.leftovers import Sweeper
from hpo_core.backends.local.lines import (
    Ended,
    Lines,
    Malformed,
    Message,
    Ready,
    Said,
    parse_message,
    too_long,
)
from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.processes import Group, base_environment
from hpo_core.backends.local.shortage import is_shortage
from hpo_core.backends.logs import create, remove_if_empty
from hpo_core.client import LONGEST
from hpo_core.contracts.backend import (
    BackendContext,
    Finished,
    JobEvent,
    Outcome,
    Reported,
    Started,
    Work,
)
from hpo_core.model.errors import BackendError
from hpo_core.model.functions import function_reference
from hpo_core.model.job import Job

_BOOT = """
import json, sys
path, serving = json.loads(sys.argv[1])
sys.path[:] = path
from hpo_core.backends.worker import serve
serve(**serving)
"""

_DYING = 1.0
"""Seconds in which a worker whose line was closed has ended too, if that is why."""

_LINE_CLOSED = (
    "the function closed its worker's line to the controller; close only those file descriptors "
    "that it has opened itself"
)

_encode = msgspec.json.encode


class Worker:
    """A worker process, and the job that it has."""

    def __init__(
        self, group: Group, mark: str, sock: socket.socket, book: str | None, job: Job
    ) -> None:
        self.group = group
        self.journal = book
        self.mark = mark
        self.socket = sock
        self.lines = Lines()
        self.job: Job | None = job
        self.begun = False
        self.cancelled = False
        self.fault = ""
        self.is_open = True

    def send(self, *message: Any) -> bool:
        """Send a message; return whether there is somebody to read it."""
        try:
            self.socket.sendall(_encode(message) + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self) -> bytes | None:
        """Return what it has sent, None if nothing is here, and b"" if nothing will ever come."""
        try:
            return self.socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return b""


class Workers:
    """Starts workers as jobs need them, and gives them jobs.

    Args:
        context: What is known of the study.
        function: The function's reference.
        loop: What waits for the workers.
    """

    def __init__(self, context: BackendContext, function: str, loop: Loop[JobEvent]) -> None:
        work = context.work
        self._directory = os.path.abspath(work.directory)
        self._serving = {
            "function": function,
            "directory": self._directory,
            "metric": work.metric,
            "decides": context.decides,
            "arguments": sys.argv,
        }
        self._environment = base_environment(work.environment, context.study_uid)
        self._folder = context.folder
        self._now = context.clock.now
        self._loop = loop
        self._sweeper = Sweeper(context.study_uid)
        self._numbers = itertools.count(1)
        self._all: set[Worker] = set()
        self._idle: list[Worker] = []
        self._busy: dict[str, Worker] = {}
        self._asking: list[tuple[Worker, Job]] = []
        # The first workers are all let go together, when the last of them is ready: none of them
        # works while others still take its processor to start.
        self._starting: set[Worker] = set()
        self._waiting: list[Worker] = []
        self._together = True

    def submit(self, job: Job) -> None:
        """Give a job to an idle worker, or start one for it."""
        while self._idle:
            worker = self._idle.pop()
            worker.job, worker.begun, worker.cancelled = job, False, False
            if self._begin(worker):
                self._busy[job.id] = worker
                return
            worker.job = None  # it has died; its exit is about to be seen
        try:
            worker = self._start(job)
        except OSError as error:
            if is_shortage(error):
                raise
            reason = f"cannot start a worker process: {error}"
            self._loop.emit(Finished(job.id, self._now(), Outcome.FAILED, reason))
        else:
            self._busy[job.id] = worker

    def cancel(self, job_id: str, grace: float) -> None:
        """Tell a job to stop at its next report; kill its worker after `grace` seconds."""
        worker = self._busy.get(job_id)
        if worker is None:
            return
        kill_now = grace <= 0 or not worker.begun
        if not worker.cancelled and not kill_now:
            worker.send("stop")
        worker.cancelled = True
        if kill_now:
            worker.group.signal(signal.SIGKILL)
        else:
            self._loop.later(worker, grace, lambda: worker.group.signal(signal.SIGKILL))

    def proceed(self) -> None:
        """Say what is recorded: jobs that wait for a decision go on, but for the cancelled ones."""
        for worker, job in self._asking:
            if worker.job is job and not worker.cancelled:
                worker.send("go")
        self._asking.clear()

    def close(self) -> None:
        """Kill and reap everything."""
        for worker in self._all:
            worker.group.signal(signal.SIGKILL)  # all at once: they end while others are reaped
        for worker in list(self._all):
            self._reap(worker)

    # -- the life of a worker -------------------------------------------------------------------

    def _start(self, job: Job) -> Worker:
        ours, theirs = socket.socketpair()
        mark = f"{os.getpid()}.{next(self._numbers)}"
        output = book = path = None
        try:
            if self._folder is not None:
                book, path = journal.create(self._folder)
            output = create(job.log) if job.log else None
            group = Group(
                [sys.executable, "-X", "faulthandler", "-c", _BOOT, self._boot(theirs, book)],
                self._directory,
                {**self._environment, b"HPO_WORKER": mark.encode()},
                output,
                [number for number in (theirs.fileno(), book) if number is not None],
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            for number in (output, book):
                if number is not None:
                    os.close(number)
        worker = Worker(group, f"HPO_WORKER={mark}", ours, path, job)
        self._all.add(worker)
        self._starting.add(worker)
        self._loop.watch(ours, lambda: self._readable(worker))
        self._loop.watch(group.exit, lambda: self._exit(worker))
        return worker

    def _boot(self, line: socket.socket, book: int | None) -> str:
        path = [entry or os.getcwd() for entry in sys.path]
        given = {"descriptor": line.fileno(), "journal": book, "folder": self._folder or ""}
        return json.dumps([path, {**self._serving, **given}])

    def _ready(self, worker: Worker) -> None:
        self._starting.discard(worker)
        self._waiting.append(worker)
        self._release()

    def _release(self) -> None:
        """Let the workers that are ready begin, unless others of the first batch still start."""
        if self._starting and self._together:
            return
        self._together = False
        waiting, self._waiting = self._waiting, []
        for worker in waiting:
            self._begin(worker)  # if it has died, its exit will say so

    def _begin(self, worker: Worker) -> bool:
        job = worker.job
        assert job is not None
        begun = worker.send(
            "job",
            job.id,
            job.trial_id,
            job.configuration,
            job.iterations,
            job.checkpoint_dir,
            job.log,
        )
        if begun:
            worker.begun = True
            self._loop.emit(Started(job.id, self._now(), handle=worker.group.pid))
        return begun

    def _readable(self, worker: Worker) -> None:
        data = worker.receive()
        if data == b"":  # it has closed its line, and is of no more use
            worker.is_open = False
            self._loop.unwatch(worker.socket)
            self._loop.later(worker, _DYING, lambda: self._hang_up(worker))
        elif data:
            self._hear(worker, data)

    def _hang_up(self, worker: Worker) -> None:
        worker.fault = worker.fault or _LINE_CLOSED
        worker.group.signal(signal.SIGKILL)

    def _hear(self, worker: Worker, data: bytes) -> None:
        try:
            for line in worker.lines.feed(data):
                if not worker.fault:
                    self._take(worker, parse_message(line))
            if worker.lines.pending > LONGEST:
                raise too_long(worker.lines.rest())
        except Malformed as error:  # nothing that it says can be relied on any more
            worker.fault = worker.fault or str(error)
            worker.group.signal(signal.SIGKILL)
            if worker in self._idle:
                self._idle.remove(worker)

    def _take(self, worker: Worker, message: Message) -> None:
        job = worker.job
        match message:
            case Ready() if worker in self._starting:
                self._ready(worker)
            case Said() if job is not None:
                self._loop.emit(Reported(job.id, self._now(), message.iteration, message.metrics))
                self._asking.append((worker, job))
            case Ended() if job is not None:
                outcome = Outcome(message.outcome)
                self._finished(worker, job, outcome, message.reason, message.metrics)
                self._idle.append(worker)

    def _finished(
        self, worker: Worker, job: Job, outcome: Outcome, reason: str, metrics: Any = None
    ) -> None:
        self._loop.never(worker)
        worker.job = None
        del self._busy[job.id]
        if worker.cancelled:
            outcome = Outcome.CANCELLED
        self._loop.emit(Finished(job.id, self._now(), outcome, reason, metrics))

    def _exit(self, worker: Worker) -> None:
        """A worker has ended: by itself, by what its job did, or because it was killed."""
        while worker.is_open and (data := worker.receive()):
            self._hear(worker, data)  # what it said last still counts
        status = self._reap(worker)
        self._sweeper.end(worker.mark)
        job = worker.job
        if job is not None:
            reason = "" if worker.cancelled else worker.fault or _death(status, job)
            if job.log:
                remove_if_empty(job.log)
            self._finished(worker, job, Outcome.FAILED, reason)
        self._release()

    def _reap(self, worker: Worker) -> int:
        self._loop.never(worker)
        self._loop.unwatch(worker.group.exit)
        if worker.is_open:
            self._loop.unwatch(worker.socket)
        worker.socket.close()
        self._all.discard(worker)
        self._starting.discard(worker)
        for workers in (self._idle, self._waiting):
            if worker in workers:
                workers.remove(worker)
        status = worker.group.end()
        if worker.journal is not None:
            journal.remove(worker.journal)
        return status


def function_of(work: Work) -> str:
    """Return the reference of the function that a study runs.

    Raises:
        BackendError: If there is none, or another process could not find it.
    """
    if work.function is not None:
        return work.function
    if work.callable is None:
        raise BackendError("there is nothing to run; give the study a command or a function")
    return function_reference(work.callable)


def _death(status: int, job: Job) -> str:
    if status == LINE_CLOSED:
        return _LINE_CLOSED
    return ended_badly(status, job.log, "the worker process ended in the job: ")
