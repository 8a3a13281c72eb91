"""The process that starts a study's jobs, reads their output and records their end.

It communicates with the controller over a socket:

    to it      ["start", id, told]             told: see `hpo_core.backends.local.work`
               ["cancel", id, grace]
               ["recorded", {id: [bytes, reports]}, [ids of those whose end is recorded]]
               ["close"]
    from it    ["started", id, pid, time]      ["data", id, time, text]
               ["ended", id, time, ran, status, cause]
               ["refused", id, errno, text]    a command that can't be started, or no room for more
               ["short", errno, text]          no room for more now; it tries again
               ["fresh", why]                  workers are new processes, and not forked
               ["stuck", pids]                 they can't be ended
               ["crashed", text]               its own fault

When the controller dies, the supervisor continues until the last job has ended; see
`hpo_core.backends.supervisor.journal`. To the next controller, which connects to its socket, it
first sends a ``job`` message for each job, all that is not recorded of it, and ["attached"].
"""

from __future__ import annotations

import contextlib
import errno
import gc
import itertools
import os
import shutil
import socket
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from hpo_core.backends.supervisor.command_slot import CommandSlot
from hpo_core.backends.supervisor.connection import Connection, messages
from hpo_core.backends.supervisor.function_slot import FunctionSlot
from hpo_core.backends.supervisor.journal import Journal
from hpo_core.backends.supervisor.launcher import become_launcher, encoded
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import PATIENCE, become_subreaper, end_children
from hpo_core.backends.supervisor.slot import Slot
from hpo_core.backends.supervisor.start_retry import NO_ROOM, SHORTAGES, StartRetry
from hpo_core.backends.supervisor.supervised_job import SupervisedJob
from hpo_core.backends.supervisor.template_client import TemplateClient

UNSENT_AT_MOST = 1 << 20
"""Maximum number of bytes waiting to be read by the controller; above it no job is read."""

_GATHERS = 0.002
"""Delay in seconds of messages that are not urgent, so that they wake the controller only once."""


class Supervisor:
    """Runs the jobs of a study.

    Args:
        sock: The socket to the controller.
        journal: The journal for events without a controller; None to end with the controller.
        environment: The variables of commands, without those of each job.
        variables: Those that the study adds for functions.
        function: The arguments of workers, for a study that runs a function; see `template`.
        offset: What to add to the monotonic clock to get the controller's.
        pickle: The descriptor of a function that workers cannot import; None for none.
        bound: Whether each job belongs to the worker that has its GPUs and CPUs. If so, workers
            are new processes, which have them from the start.
        first_worker: The number of the first worker, if jobs do not belong to one.

    Attributes:
        retires: Whether it starts no more jobs: a later controller has its last ones.
    """

    def __init__(
        self,
        sock: socket.socket,
        journal: Journal | None,
        environment: dict[bytes, bytes],
        variables: dict[str, str],
        function: dict[str, Any] | None,
        offset: float,
        pickle: int | None,
        bound: bool,
        first_worker: int,
    ) -> None:
        self._loop: Loop[None] = Loop()
        self._journal = journal
        self._environment = environment
        self._variables = variables
        self._function = function
        self._pickle = pickle
        self._decides = function is not None and function["decides"]
        self._offset = offset
        self._controller: Connection | None = None
        self._jobs: dict[str, SupervisedJob] = {}
        self._queue: deque[SupervisedJob] = deque()
        self._idle: dict[int, Slot] = {}  # by the numbers of their workers, like the next one
        self._slots: dict[int, Slot] = {}
        self._let_go: list[int] = []  # launchers that are about to end
        self._first: dict[Slot, SupervisedJob] = {}  # jobs that wait for their slot's worker
        self._template: TemplateClient | None = None
        self._is_bound = bound
        self._first_worker = first_worker
        self._is_fresh = bound  # whether workers are new processes, and not forked
        self.retires = False
        self._retry = StartRetry(self._loop, self._tell, self._fill)
        self._is_closing = self._listens = False
        self._folder = self._listen() if journal is not None else ""
        self._connect(sock)

    def run(self) -> NoReturn:
        """Serve until the controller closes, or has died and the last job has ended."""
        try:
            while True:
                self._loop.run(None)  # returns when there is something urgent to send
                if self._controller is not None:
                    self._controller.flush()
                self._hear_jobs()
        except Exception:  # noqa: BLE001  # its own fault is told, and its jobs are run again
            if self._controller is not None:
                self._controller.send("crashed", traceback.format_exc())
            self._end()

    # -- the controller -------------------------------------------------------------------------

    def _connect(self, sock: socket.socket) -> None:
        self._controller = Connection(
            sock, self._loop, messages(self._take), self._lose_controller, self._hear_jobs
        )

    def _take(self, kind: str, *told: Any) -> None:
        getattr(self, f"_on_{kind}")(*told)

    def _on_start(self, job_id: str, told: dict[str, Any]) -> None:
        job = SupervisedJob(job_id, told, self._loop, self._tell, self._clock)
        self._jobs[job_id] = job
        self._queue.append(job)
        self._fill()

    def _on_cancel(self, job_id: str, grace: float) -> None:
        job = self._jobs.get(job_id)
        if job is None or job.end is not None:
            return
        if job in self._queue:
            self._queue.remove(job)
            job.finish(None)
        for slot, waiting in self._first.items():
            if waiting is job:
                job.finish(None)
                slot.kill()
        for slot in self._slots.values():
            if slot.job is job:
                slot.end(grace)
        self._loop.emit(None)

    def _on_recorded(self, heard: dict[str, tuple[int, int]], ended: list[str]) -> None:
        for job_id, (count, reports) in heard.items():
            if job_id in self._jobs:
                self._jobs[job_id].forget(count, reports)
        for job_id in ended:
            self._jobs.pop(job_id, None)
        self._answer()
        self._hear_jobs()

    def _on_close(self) -> None:
        """Kill all jobs, wait until none of their processes runs, and end."""
        self._is_closing = True
        self._queue.clear()
        for slot in list(self._slots.values()):
            slot.kill()
        self._loop.later("close", PATIENCE / 2, self._end)
        self._end_if_closing()

    def _answer(self) -> None:
        """Answer the jobs that wait for reports which are now recorded."""
        for slot in self._slots.values():
            job = slot.job
            if isinstance(slot, FunctionSlot) and job is not None and job.is_answered:
                slot.go_on()

    def _tell(self, kind: str, *told: Any) -> None:
        """Send a message to the controller, immediately if urgent, otherwise after a short
        delay.
        """
        if self._controller is None:
            return
        self._controller.put(kind, *told)
        if kind not in ("started", "data") or (kind == "data" and self._decides):
            self._loop.emit(None)
        else:
            self._loop.later("send", _GATHERS, partial(self._loop.emit, None))

    def _hear_jobs(self) -> None:
        """Read the output of jobs, unless too much of it waits to be sent or recorded."""
        alone = self._controller is None
        waits = not alone and self._controller.waiting > UNSENT_AT_MOST  # type: ignore[union-attr]
        for slot in self._slots.values():
            job = slot.job
            slot.listen(not waits and not (job is not None and job.holds_too_much(alone)))

    def _clock(self) -> float:
        return self._offset + time.monotonic()

    # -- slots ----------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Start waiting jobs in idle or new slots."""
        self._reap_launchers()
        while not self._is_closing and not self._retry.waits:
            job = next(filter(self._can_start, self._queue), None)
            if job is None:
                return
            if self._retry.is_careful and self._is_starting():
                self._retry.later()
                return
            try:
                slot = self._idle_slot(job)
                if slot is not None:
                    if slot.start(job):
                        self._queue.remove(job)
                    del self._idle[slot.worker]
                elif not self._open_slot(job):
                    return
            except OSError as error:
                if error.errno not in SHORTAGES:
                    raise
                self._queue.remove(job)
                self.refused(job, error.errno, error.strerror or str(error))

    def _can_start(self, job: SupervisedJob) -> bool:
        """Return whether a job has not to wait for the end of its worker's last job."""
        return not self._is_bound or job.worker in self._idle or job.worker not in self._slots

    def _idle_slot(self, job: SupervisedJob) -> Slot | None:
        """Return an idle slot for a job: that of its worker, or the one that was used last."""
        if self._is_bound:
            return self._idle.get(job.worker)
        return self._idle[next(reversed(self._idle))] if self._idle else None

    def _worker_of(self, job: SupervisedJob) -> int:
        """Return the number of the worker for whose jobs a new slot is opened."""
        if self._is_bound:
            return job.worker
        numbers = itertools.count(self._first_worker)
        return next(number for number in numbers if number not in self._slots)

    def _is_starting(self) -> bool:
        """Return whether a job is about to start of which it is not known yet whether it can."""
        jobs = (slot.job for slot in self._slots.values())
        return bool(self._first) or any(job is not None and not job.pid for job in jobs)

    def _open_slot(self, job: SupervisedJob) -> bool:
        """Open a slot for the worker of a waiting job; return whether that was possible now."""
        told, number = job.told, self._worker_of(job)
        if self._function is None:
            sock, pid = self._fork_launcher(job.cpus)
            slot = CommandSlot(sock, self._loop, self, pid, worker=number)
            self._slots[number] = self._idle[number] = slot
            return True
        own = {**told["variables"], "HPO_WORKER": str(number)}
        start: Callable[[], None]
        if self._is_fresh:
            sock, pid = self._fork_launcher(job.cpus)
            worker = FunctionSlot(sock, self._loop, self, self._decides, pid, worker=number)
            variables = {**self._variables, **own}
            start = partial(
                worker.spawn_worker,
                self._function,
                variables,
                self._pickle,
                told["log"],
                told["prefix"],
            )
        elif self._template is not None and self._template.is_ready:
            worker = FunctionSlot(
                self._template.fork(), self._loop, self, self._decides, worker=number
            )
            start = partial(worker.fork_worker, own, told["log"])
        else:
            if self._template is None:
                self._start_template(told["log"])
            return False
        try:
            start()
        except OSError:
            worker.close()
            raise
        self._slots[number] = worker
        self._queue.remove(job)
        self._first[worker] = job
        return True

    def _forget(self, slot: Slot) -> None:
        """Forget a slot that is used no more; the worker's next job gets another one."""
        for slots in (self._slots, self._idle):
            if slots.get(slot.worker) is slot:
                del slots[slot.worker]

    def _fork_launcher(self, cpus: Sequence[int]) -> tuple[socket.socket, int]:
        """Fork a launcher of commands, or of a new worker process, for certain CPUs or all."""
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            try:
                gc.disable()  # what would be collected here may own a descriptor that is closed
                _close_all_but(theirs.fileno())
                if cpus:
                    os.sched_setaffinity(0, cpus)
                become_launcher(theirs, self._environment)
            finally:  # whatever it is, it must not reach this copy of the supervisor
                os._exit(1)
        theirs.close()
        return ours, pid

    def _reap_launchers(self) -> None:
        """Reap released launchers that have ended."""
        for pid in list(self._let_go):
            try:
                has_ended = bool(os.waitpid(pid, os.WNOHANG)[0])
            except ChildProcessError:  # it is a template's
                has_ended = True
            if has_ended:
                self._let_go.remove(pid)

    def idle(self, slot: Slot) -> None:
        """Handle a slot that is ready for a job."""
        if self._is_closing:
            self._end_if_closing()
            return
        job = self._first.pop(slot, None)
        if job is not None and job.end is None:
            if slot.start(job):
                return
            self._queue.appendleft(job)
        if self.retires or (self._retry.waits and len(self._slots) > 1):
            self._let_launcher_go(slot)  # it takes the room that a job of another one needs
        else:
            self._idle[slot.worker] = slot
        self._fill()

    def _let_launcher_go(self, slot: Slot) -> None:
        slot.close()
        self._forget(slot)
        self._let_go.append(slot.launcher)

    def refused(self, job: SupervisedJob, number: int | None, text: str) -> None:
        """Handle a command that could not be started."""
        runs = any(slot.job is not None and slot.job.pid for slot in self._slots.values())
        if number in SHORTAGES and self._retry.refused(number, text, runs=runs):
            self._queue.appendleft(job)
            return
        self._jobs.pop(job.id, None)
        self._tell("refused", job.id, number, text)
        self._end_if_done()

    def ended(self, job: SupervisedJob, status: int | None) -> None:
        """Handle the end of a job."""
        if job.pid:
            self._retry.job_ended()
        job.finish(status)
        self._loop.emit(None)
        if self._controller is None and self._journal is not None:
            self._journal.write(*job.summary())
            self._end_if_done()

    def gone(
        self, slot: Slot, status: int | None, refusal: tuple[int | None, str] | None = None
    ) -> None:
        """Handle a slot that can no longer be used."""
        self._forget(slot)
        self._let_go.append(slot.launcher)
        job = self._first.pop(slot, None)
        if job is not None and job.end is None:
            if status == NO_ROOM:
                refusal = (errno.EAGAIN, os.strerror(errno.EAGAIN))
            if refusal is not None:
                self.refused(job, *refusal)
            else:
                job.cause = "not_loaded"
                self.ended(job, status)
        self._end_if_closing()
        self._fill()

    def orphaned(self) -> None:
        """A launcher was killed: what its job has left are this process's children now."""
        launchers = {slot.launcher for slot in self._slots.values()}
        stuck = end_children(launchers | ({self._template.pid} if self._template else set()))
        if stuck:
            self.stuck(stuck)

    def asks(self, slot: Slot) -> None:
        """A job waits for the answer to a report; without a controller it just goes on."""
        if self._controller is None:
            slot.go_on()

    def stuck(self, pids: list[int]) -> None:
        """Handle processes of a job that cannot be killed."""
        self._tell("stuck", pids)

    # -- the template ---------------------------------------------------------------------------

    def _start_template(self, log: str) -> None:
        assert self._function is not None
        self._template = TemplateClient(
            self._loop,
            self._function,
            self._pickle,
            {**self._environment, **encoded(self._variables)},
            log,
            self._on_template,
        )

    def _on_template(self, why: str | None, status: int | None) -> None:
        """The template is ready; or it can't be forked, which it says; or it has ended."""
        if why is not None:
            self._is_fresh, self._template = True, None
            self._tell("fresh", why)
        elif status is not None:
            was_ready = self._template is not None and self._template.is_ready
            self._template = None
            if not was_ready and self._queue:
                job = self._queue.popleft()  # the one that it was started for
                job.cause = "not_loaded"
                self.ended(job, status)
        self._fill()

    # -- without a controller -------------------------------------------------------------------

    def _listen(self) -> str:
        """Listen for the next controller; return the folder of the socket."""
        assert self._journal is not None
        folder = tempfile.mkdtemp(prefix="hpo-")
        path = os.path.join(folder, "supervisor")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._listener.setblocking(False)
        self._loop.watch(self._listener, self._accept)
        self._journal.begin(["supervisor", os.getpid(), path])
        return folder

    def _accept(self) -> None:
        """Accept the connection of the next controller."""
        sock, _ = self._listener.accept()
        if self._controller is not None:  # that it has died is about to be read
            self._controller.close()
        self._connect(sock)
        assert self._controller is not None
        self.retires = True
        for slot in list(self._idle.values()):
            self._let_launcher_go(slot)
        for job in self._jobs.values():
            for message in job.summary():
                self._controller.put(*message)
        self._controller.send("attached")

    def _lose_controller(self) -> None:
        """Go on without a controller: nobody is asked, and jobs that wait to start do not."""
        self._controller = None
        if self._journal is None:
            self._on_close()
            return
        for job in [*self._queue, *self._first.values()]:
            self._jobs.pop(job.id, None)  # the end of a cancelled one may be recorded
            job.end = (self._clock(), 0.0, None, "")
        self._queue.clear()
        self._journal.clear()
        self._journal.write(*(line for job in self._ended() for line in job.summary()))
        for slot in self._slots.values():
            if isinstance(slot, FunctionSlot):
                slot.go_on()
        self._hear_jobs()
        self._end_if_done()

    def _ended(self) -> list[SupervisedJob]:
        return [job for job in self._jobs.values() if job.end is not None]

    # -- the end --------------------------------------------------------------------------------

    def _end_if_done(self) -> None:
        if self._controller is None and all(job.end is not None for job in self._jobs.values()):
            self._end()

    def _end_if_closing(self) -> None:
        if self._is_closing and not any(slot.leader for slot in self._slots.values()):
            self._end()

    def _end(self) -> NoReturn:
        """End, with all that is left of this process's children."""
        end_children()
        for slot in self._slots.values():
            slot.remove_spare_log()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(0)


def _close_all_but(descriptor: int) -> None:
    """Close all descriptors but one and the standard ones, in a process that was just forked."""
    os.closerange(3, descriptor)  # which makes room for the descriptor of the list
    for name in os.listdir("/dev/fd"):
        if int(name) > 2 and int(name) != descriptor:
            with contextlib.suppress(OSError):
                os.close(int(name))


def run(
    sock: socket.socket,
    journal: int | None,
    directory: str,
    variables: dict[str, str],
    function: dict[str, Any] | None,
    offset: float,
    pickle: int | None = None,
    bound: bool = False,
    first_worker: int = 0,
) -> NoReturn:
    """Run a supervisor.

    Args:
        sock: The socket to the controller.
        journal: The descriptor of the journal; None for none.
        directory: The working directory of jobs.
        variables: Those that the study adds for functions.
        function: The arguments of workers, for a study that runs a function.
        offset: What to add to the monotonic clock to get the controller's.
        pickle: The descriptor of a function that workers cannot import.
        bound: Whether each job belongs to one of the workers.
        first_worker: The number of the first worker, if jobs do not belong to one.
    """
    if pickle is not None:
        os.set_inheritable(pickle, False)
    os.chdir(directory)
    become_subreaper()
    book = None if journal is None else Journal(journal)
    Supervisor(
        sock,
        book,
        dict(os.environb),
        variables,
        function,
        offset,
        pickle,
        bound,
        first_worker,
    ).run()
