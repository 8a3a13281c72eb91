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

import os
import socket
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from hpo_core.backends.supervisor.controller_link import ControllerLink
from hpo_core.backends.supervisor.function_slot import FunctionSlot
from hpo_core.backends.supervisor.job_starter import JobStarter
from hpo_core.backends.supervisor.journal import Journal
from hpo_core.backends.supervisor.launchers import Launchers
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import PATIENCE, become_subreaper, end_children
from hpo_core.backends.supervisor.slot import Slot
from hpo_core.backends.supervisor.slot_opener import SlotOpener
from hpo_core.backends.supervisor.slots import Slots
from hpo_core.backends.supervisor.supervised_job import SupervisedJob

_GATHERS = 0.002
"""Delay in seconds of messages that are not urgent."""

_GATHERS_LONG = 0.02
"""The same while many jobs wait, each of which is short."""


class Supervisor(JobStarter):
    """Runs the jobs of a study.

    Args:
        sock: The socket to the controller.
        journal: The journal for events without a controller; None to end with the controller.
        environment: The variables of commands, without those of each job.
        variables: Those that the study adds for functions.
        function: The arguments of workers, for a study that runs a function; see `template`.
        offset: What to add to the monotonic clock to get the controller's.
        pickle: The descriptor of a function that workers cannot import; None for none.
        workers: The number of workers, any of which runs a job; None if each job has its own.
        is_fresh: Whether workers are new processes, which have their GPUs and CPUs from the start.
        first_worker: The number of the first worker, if any of them runs a job.
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
        workers: int | None,
        is_fresh: bool,
        first_worker: int,
    ) -> None:
        self._loop: Loop[None] = Loop()
        self._journal = journal
        self._offset = offset
        self._filled = 0  # number of jobs that waited when the controller sent the last one
        self._decides = function is not None and function["decides"]
        self._jobs: dict[str, SupervisedJob] = {}
        self._handlers: dict[str, Callable[..., None]] = {
            "start": self._on_start,
            "cancel": self._on_cancel,
            "recorded": self._on_recorded,
            "close": self._on_close,
        }
        self._controller = ControllerLink(
            self._loop,
            on_message=self._take,
            on_lost=self._lose_controller,
            on_sent=self._hear_jobs,
        )
        launchers = Launchers(environment)
        opener = SlotOpener(
            self._loop,
            launchers,
            environment=environment,
            variables=variables,
            function=function,
            pickle=pickle,
            is_fresh=is_fresh,
            tell=self._tell,
            on_template=self._on_template,
        )
        slots = Slots(workers=workers, first_worker=first_worker)
        super().__init__(self._loop, launchers, opener, slots)
        if journal is not None:
            path = self._controller.listen(self._attach)
            journal.begin(["supervisor", os.getpid(), path])
        self._controller.connect(sock)

    def run(self) -> NoReturn:
        """Serve until the controller closes, or has died and the last job has ended."""
        try:
            while True:
                self._loop.run(None)  # returns when there is something urgent to send
                self._controller.flush()
                self._hear_jobs()
        except Exception:  # noqa: BLE001  # its own fault is told, and its jobs are run again
            self._controller.put("crashed", traceback.format_exc())
            self._controller.flush()
            self._end()

    # -- the controller -------------------------------------------------------------------------

    def _take(self, kind: str, *told: Any) -> None:
        self._handlers[kind](*told)

    def _on_start(self, job_id: str, told: dict[str, Any]) -> None:
        job = SupervisedJob(job_id, told, self._loop, self._tell, self._clock)
        self._jobs[job_id] = job
        self._queue.append(job)
        self._fill()
        self._filled = len(self._queue)

    def _on_cancel(self, job_id: str, grace: float) -> None:
        job = self._jobs.get(job_id)
        if job is None or job.end is not None:
            return
        job.cancel()
        if job in self._queue:
            self._queue.remove(job)
            job.finish(None)
        for slot, waiting in self._slots.first.items():
            if waiting is job:
                job.finish(None)
                slot.kill()
        for slot in self._slots.open.values():
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
        for slot in list(self._slots.open.values()):
            slot.kill()
        self._loop.later("close", PATIENCE / 2, self._end)
        self._end_if_closing()

    def _answer(self) -> None:
        """Answer the jobs that wait for reports which are now recorded."""
        for slot in self._slots.open.values():
            job = slot.job
            if isinstance(slot, FunctionSlot) and job is not None and job.is_answered:
                slot.go_on()

    def _tell(self, kind: str, *told: object) -> None:
        self._controller.tell(kind, *told, within=self._delay(kind))

    def _delay(self, kind: str) -> float:
        """Return for how many seconds a message may be held back, so that more wake the controller
        only once.
        """
        if kind not in ("started", "data", "ended") or (kind == "data" and self._decides):
            return 0.0
        if len(self._queue) > self._filled / 2:  # no worker waits for the controller
            return _GATHERS_LONG
        return 0.0 if kind == "ended" else _GATHERS

    # -- jobs -----------------------------------------------------------------------------------

    def _hear_jobs(self) -> None:
        """Read the output of jobs, unless too much of it waits to be sent or recorded."""
        alone, waits = self._controller.is_alone, self._controller.is_full
        for slot in self._slots.open.values():
            job = slot.job
            slot.listen(not waits and not (job is not None and job.holds_too_much(alone)))

    def _clock(self) -> float:
        return self._offset + time.monotonic()

    def _drop(self, job: SupervisedJob, number: int | None, text: str) -> None:
        self._jobs.pop(job.id, None)
        self._tell("refused", job.id, number, text)
        self._end_if_done()

    def ended(self, job: SupervisedJob, status: int | None) -> None:
        """Handle the end of a job."""
        if job.pid:
            self._retry.job_ended()
        job.finish(status)
        if self._controller.is_alone and self._journal is not None:
            self._journal.write(*job.summary())
            self._end_if_done()

    def asks(self, slot: Slot) -> None:
        """A job waits for the answer to a report; without a controller it just goes on."""
        if self._controller.is_alone:
            slot.go_on()

    # -- without a controller, and with the next one --------------------------------------------

    def _lose_controller(self) -> None:
        """Go on without a controller: nobody is asked, and jobs that wait to start do not."""
        if self._journal is None:
            self._on_close()
            return
        for job in [*self._queue, *self._slots.first.values()]:
            self._jobs.pop(job.id, None)  # the end of a cancelled one may be recorded
            job.end = (self._clock(), 0.0, None, "")
        self._queue.clear()
        self._journal.clear()
        ended = [job for job in self._jobs.values() if job.end is not None]
        self._journal.write(*(line for job in ended for line in job.summary()))
        for slot in self._slots.open.values():
            if isinstance(slot, FunctionSlot):
                slot.go_on()
        self._hear_jobs()
        self._end_if_done()

    def _attach(self) -> None:
        """Tell the next controller, which has connected, all that is not recorded."""
        self.retires = True
        for slot in list(self._slots.idle.values()):
            self._let_launcher_go(slot)
        for job in self._jobs.values():
            for message in job.summary():
                self._controller.put(*message)
        self._controller.put("attached")
        self._controller.flush()

    # -- the end --------------------------------------------------------------------------------

    def _end_if_done(self) -> None:
        if self._controller.is_alone and all(job.end is not None for job in self._jobs.values()):
            self._end()

    def _end_if_closing(self) -> None:
        if self._is_closing and not self._slots.has_processes:
            self._end()

    def _end(self) -> NoReturn:
        """End, with all that is left of this process's children."""
        end_children()
        for slot in self._slots.open.values():
            slot.remove_spares()
        self._controller.remove()
        os._exit(0)


def run(
    sock: socket.socket,
    journal: int | None,
    directory: str,
    variables: dict[str, str],
    function: dict[str, Any] | None,
    offset: float,
    pickle: int | None = None,
    workers: int | None = None,
    is_fresh: bool = False,
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
        workers: The number of workers, any of which runs a job; None if each job has its own.
        is_fresh: Whether the workers of functions are new processes, and not forked.
        first_worker: The number of the first worker, if any of them runs a job.
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
        workers,
        is_fresh,
        first_worker,
    ).run()
