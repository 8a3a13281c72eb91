"""A slot runs one job at a time: the common base of slots for commands and for functions."""

from __future__ import annotations

import signal
import socket
from typing import Any, Protocol

from hpo_core.backends import logs, reused_folder
from hpo_core.backends.supervisor.connection import Connection, messages
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import has_ended, signal_group, signal_process
from hpo_core.backends.supervisor.supervised_job import Cause, SupervisedJob

_PIPE_HOLDS = 1 << 20
"""Maximum capacity of a pipe in bytes, and so the maximum to read once the writers are gone."""


class Owner(Protocol):
    """The owner of a slot, which is notified of its events.

    Attributes:
        retires: Whether each worker is to end with its job.
    """

    retires: bool

    def idle(self, slot: Slot) -> None:
        """The slot is ready for a job."""

    def refused(self, job: SupervisedJob, number: int | None, text: str) -> None:
        """The job could not be started."""

    def ended(self, job: SupervisedJob, status: int | None) -> None:
        """The job has ended."""

    def gone(
        self, slot: Slot, status: int | None, refusal: tuple[int | None, str] | None = None
    ) -> None:
        """The slot is unusable: its launcher or worker has ended, or could not be started."""

    def orphaned(self) -> None:
        """The launcher was killed, so it cannot end the processes that the job left behind."""

    def asks(self, slot: Slot) -> None:
        """The job waits for the answer to a report."""

    def stuck(self, pids: list[int]) -> None:
        """Processes of the job cannot be ended."""


class Slot:
    """A launcher with its job.

    Args:
        sock: The socket to the launcher.
        loop: What waits for it.
        owner: What is told of it.
        pid: The process id of the launcher, if known.
        worker: The number of the worker that runs its jobs.

    Attributes:
        worker: The number of the worker that runs its jobs.
        job: The running job, or None.
        launcher: The launcher's process.
        leader: The leader of the process group that the launcher has started; 0 for none.
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: Loop[None],
        owner: Owner,
        pid: int = 0,
        *,
        worker: int = 0,
    ) -> None:
        self.worker = worker
        self.job: SupervisedJob | None = None
        self.launcher = pid
        self.leader = 0
        self._loop = loop
        self._owner = owner
        self._is_ending = False
        self._grace_at_start: float | None = None  # for a job to end once it has started
        self._log = ("", 0)  # of the last job, with the process that has its spare file
        self._folder = ""  # the last job's folder for checkpoints
        self._connection = Connection(sock, loop, messages(self._take), self._lose_launcher)

    def start(self, job: SupervisedJob) -> bool:
        """Start a job; return False if this slot is about to close.

        Raises:
            OSError: If the machine lacks processes or files for it.
        """
        raise NotImplementedError

    def ask_to_end(self) -> None:
        """Ask the job to end."""
        raise NotImplementedError

    def go_on(self) -> None:
        """Let a job continue that waits for the answer to a report; commands never wait."""

    def read(self) -> int:
        """Read the available output of the job; return the number of bytes."""
        raise NotImplementedError

    def listen(self, listens: bool) -> None:
        """Start or stop reading the output of the job; a full pipe makes the job wait."""
        raise NotImplementedError

    def end(self, grace: float) -> None:
        """Ask the job to end, and kill it after a grace period, which a later call may shorten."""
        if not self.leader:  # the job is about to start
            known = self._grace_at_start
            self._grace_at_start = grace if known is None else min(grace, known)
        elif grace <= 0:
            self.kill()
        else:
            if not self._is_ending:
                self._is_ending = True
                self.ask_to_end()
            self._loop.later(self, grace, self.kill)

    def kill(self) -> None:
        """Kill the process group of the job."""
        self._loop.never(self)
        if self.leader:
            signal_group(self.leader, signal.SIGKILL)
            self._connection.send("release")
            signal_process(self.launcher, signal.SIGCONT)  # the job may have stopped the launcher

    def catch_up(self) -> bool:
        """Read all messages of the job and its launcher; return whether the job still runs."""
        self._drain()
        while self._connection.read():
            pass
        if self.leader and _is_gone(self.leader):
            signal_process(self.launcher, signal.SIGCONT)  # the launcher will report the end
            return False
        return bool(self.leader)

    def close(self) -> None:
        """Let the launcher end."""
        self._loop.never(self)
        self._connection.close()
        self.remove_spares()

    def remove_spares(self) -> None:
        """Remove the spare output file and folder; no job runs here any more."""
        logs.remove_spare(*self._log)
        reused_folder.remove_spare(self._folder, self.launcher)

    def _drain(self) -> None:
        left = _PIPE_HOLDS
        while left > 0 and (count := self.read()):
            left -= count

    def _reach(self, cause: Cause) -> None:
        """The job has reached a limit."""
        assert self.job is not None
        self.job.cause = cause
        self.end(self.job.told["grace"])

    def _take_on(self, job: SupervisedJob) -> None:
        self.job, self._is_ending, self._grace_at_start = job, False, None
        self._folder = job.told["checkpoints"]
        job.assign(self.worker)
        job.catch_up, job.reach = self.catch_up, self._reach

    def _take(self, kind: str, *told: Any) -> None:
        """Handle a message of the launcher."""
        match kind, told:
            case "launcher", (pid,):
                self.launcher = pid
            case "started", (pid, began):
                self.leader = pid
                self._on_started(began)
                self._watch()
                if self._grace_at_start is not None:
                    self.end(self._grace_at_start)
            case "ran", (pid, began, status, stuck):
                self.leader = pid
                self._on_started(began)
                self._take("exited", status, stuck)
            case "refused", (number, text):
                self._on_refused(number, text)
            case "leaving", ():
                self._on_leaving()
            case "exited", (status, stuck):
                self._drain()
                self.leader = 0
                self._loop.never(self)
                if stuck:
                    self._owner.stuck(stuck)
                self._on_exited(status)

    def _on_started(self, began: float) -> None:
        raise NotImplementedError

    def _watch(self) -> None:
        """Read the messages of the job from now on: it is not a very short one."""

    def _on_refused(self, number: int | None, text: str) -> None:
        raise NotImplementedError

    def _on_leaving(self) -> None:
        """The job's process has ended after a request to end; the rest of its group still runs."""

    def _on_exited(self, status: int) -> None:
        raise NotImplementedError

    def _lose_launcher(self) -> None:
        """The launcher has ended, which only its job or a user can cause."""
        if self.leader:
            signal_group(self.leader, signal.SIGKILL)
            if self.job is not None:
                self.job.cause = "parent"
            self._drain()
            self._owner.orphaned()
        elif self.job is not None:  # it may be running although the launcher did not report it
            self.job.cause = "parent"
            self._owner.orphaned()
            self._drain()
        self.leader = 0
        self._loop.never(self)
        self._on_launcher_lost()

    def _on_launcher_lost(self) -> None:
        raise NotImplementedError


def _is_gone(leader: int) -> bool:
    """Return whether a process has ended, even if its end was not yet reported."""
    try:
        return has_ended(leader)
    except ProcessLookupError:
        return True
