"""A place where one job runs at a time: a launcher, and for functions its worker process."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from functools import partial
from typing import Any, Protocol

from hpo_core.backends import logs
from hpo_core.backends.supervisor import boot
from hpo_core.backends.supervisor.connection import Connection, messages
from hpo_core.backends.supervisor.job import Cause, SupervisedJob
from hpo_core.backends.supervisor.launcher import REPORT_FD
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import has_ended, signal_group, signal_process

_READ = 1 << 16
"""The most bytes to read of a job at once."""

_PIPE_HOLDS = 1 << 20
"""The most bytes that a pipe can hold, and so the most to read once nobody writes."""

_STARTING = 0.1
"""Seconds after which a launcher that is still silent may have been stopped by its job."""

_FOLLOWED = 0.1
"""Seconds after which what a job of a worker has printed can be read as its log."""

_CLOSING = 1.0
"""Seconds in which a worker whose socket was closed has ended, if that is why it was closed."""


class Owner(Protocol):
    """What a slot tells of itself."""

    def idle(self, slot: Slot) -> None:
        """It is ready for a job."""

    def refused(self, job: SupervisedJob, number: int | None, text: str) -> None:
        """Its job could not be started."""

    def ended(self, job: SupervisedJob, status: int | None) -> None:
        """Its job has ended."""

    def gone(
        self, slot: Slot, status: int | None, refusal: tuple[int | None, str] | None = None
    ) -> None:
        """It can be used no more: its launcher or its worker has ended, or was refused."""

    def orphaned(self) -> None:
        """Its launcher was killed, and can end no more what its job has left."""

    def asks(self, slot: FunctionSlot) -> None:
        """Its job waits for the answer to a report."""

    def stuck(self, pids: list[int]) -> None:
        """Processes of its job can't be ended."""


class Slot:
    """A launcher, and the job that it has.

    Args:
        sock: The socket to the launcher.
        loop: What waits for it.
        owner: What is told of it.
        pid: The launcher, if it is known.

    Attributes:
        job: The job that it has.
        launcher: The launcher's process.
        leader: The process that leads the group of what the launcher has started; 0 for none.
    """

    def __init__(self, sock: socket.socket, loop: Loop[None], owner: Owner, pid: int = 0) -> None:
        self.job: SupervisedJob | None = None
        self.launcher = pid
        self.leader = 0
        self._loop = loop
        self._owner = owner
        self._is_ending = False
        self._grace_at_start: float | None = None  # for a job that is to end once it has started
        self._log = ("", 0)  # the last job's, and the process that has its spare file
        self._connection = Connection(sock, loop, messages(self._take), self._lose_launcher)

    def start(self, job: SupervisedJob) -> bool:
        """Start a job; return False if this slot is about to be gone.

        Raises:
            OSError: If this machine has no room for it.
        """
        raise NotImplementedError

    def ask_to_end(self) -> None:
        """Ask the job to end."""
        raise NotImplementedError

    def read(self) -> int:
        """Read what the job has written, as far as it is there; return how many bytes."""
        raise NotImplementedError

    def listen(self, listens: bool) -> None:
        """Read what the job writes, or let it wait until it can be read."""
        raise NotImplementedError

    def end(self, grace: float) -> None:
        """End the job: ask it to, and kill it after a grace period; a later call may shorten it."""
        if not self.leader:  # it is about to start
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
        """Kill the job's group."""
        self._loop.never(self)
        if self.leader:
            signal_group(self.leader, signal.SIGKILL)
            self._connection.send("release")
            signal_process(self.launcher, signal.SIGCONT)  # the job may have stopped it

    def catch_up(self) -> bool:
        """Read all that the job and its launcher have said; return whether the job still runs."""
        self._drain()
        while self._connection.read():
            pass
        if self.leader and _is_gone(self.leader):
            signal_process(self.launcher, signal.SIGCONT)  # it will tell
            return False
        return bool(self.leader)

    def close(self) -> None:
        """Let the launcher end."""
        self._loop.never(self)
        self._connection.close()
        self.remove_spare_log()

    def remove_spare_log(self) -> None:
        """Remove the spare file that takes what jobs print; no job runs here any more."""
        logs.remove_spare(*self._log)

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
        """Hear what the job says, from now on: it runs for more than a moment."""

    def _on_refused(self, number: int | None, text: str) -> None:
        raise NotImplementedError

    def _on_leaving(self) -> None:
        """The job's process has ended while it was being ended; the rest of its group runs on."""

    def _on_exited(self, status: int) -> None:
        raise NotImplementedError

    def _lose_launcher(self) -> None:
        """The launcher has ended, which only its job or a user can have caused."""
        if self.leader:
            signal_group(self.leader, signal.SIGKILL)
            if self.job is not None:
                self.job.cause = "parent"
            self._drain()
            self._owner.orphaned()
        elif self.job is not None:  # it may run although that was not said
            self.job.cause = "parent"
            self._owner.orphaned()
            self._drain()
        self.leader = 0
        self._loop.never(self)
        self._on_launcher_lost()

    def _on_launcher_lost(self) -> None:
        raise NotImplementedError


class CommandSlot(Slot):
    """A slot for commands."""

    _pipe: int | None = None
    _is_watched = False

    def start(self, job: SupervisedJob) -> bool:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._take_on(job)
        self._pipe, self._is_watched = reading, False
        told = job.told
        self._log = (told["log"], self.launcher)
        self._loop.later((self, "starts"), _STARTING, self._wake_launcher)
        self._connection.send(
            "spawn",
            told["arguments"],
            told["program"],
            told["variables"],
            told["log"],
            told["checkpoints"],
            descriptor=writing,
        )
        return True

    def ask_to_end(self) -> None:
        self._connection.send("hold")
        signal_group(self.leader, signal.SIGTERM)

    def listen(self, listens: bool) -> None:
        if self._pipe is not None and self._is_watched:
            self._loop.pause(self._pipe, not listens)

    def read(self) -> int:
        if self._pipe is None or self.job is None:
            return 0
        try:
            data = os.read(self._pipe, _READ)
        except BlockingIOError:
            return 0
        if data:
            self.job.hear(data)
        else:
            self._close_pipe()
        return len(data)

    def _readable(self) -> None:
        if not self.read() and self._pipe is None:  # no process of the job can report any more
            if self._is_ending:
                self._connection.send("release")
            signal_process(self.launcher, signal.SIGCONT)  # the job may have stopped it

    def _on_started(self, began: float) -> None:
        self._loop.never((self, "starts"))
        if self.job is not None and self._pipe is not None:
            self.job.begin(self.leader, began)

    def _watch(self) -> None:
        if self._pipe is not None:
            self._loop.watch(self._pipe, self._readable)
            self._is_watched = True

    def _wake_launcher(self) -> None:
        """Continue the launcher: its job may have stopped it before it could tell of the job."""
        signal_process(self.launcher, signal.SIGCONT)
        self._loop.later((self, "starts"), _STARTING, self._wake_launcher)

    def _on_refused(self, number: int | None, text: str) -> None:
        self._close_pipe()
        job, self.job = self.job, None
        if job is not None:
            self._owner.refused(job, number, text)
        self._owner.idle(self)

    def _on_leaving(self) -> None:
        self._drain()
        if self._pipe is None:
            self._connection.send("release")

    def _on_exited(self, status: int) -> None:
        self._close_pipe()
        job, self.job = self.job, None
        if job is not None:
            self._owner.ended(job, status)
        self._owner.idle(self)

    def _on_launcher_lost(self) -> None:
        self._close_pipe()
        job, self.job = self.job, None
        if job is not None:
            logs.name(*self._log)
        self.close()
        self._owner.gone(self, None)
        if job is not None:
            self._owner.ended(job, None)

    def _close_pipe(self) -> None:
        self._loop.never((self, "starts"))
        if self._pipe is not None:
            if self._is_watched:
                self._loop.unwatch(self._pipe)
            os.close(self._pipe)
            self._pipe = None


class FunctionSlot(Slot):
    """A slot for calls of the study's function: the launcher's job is a worker that stays.

    Args:
        sock: The socket to the launcher.
        loop: What waits for it.
        owner: What is told of it.
        decides: Whether each report waits for an answer.
        pid: The launcher, if it is known.
    """

    def __init__(
        self, sock: socket.socket, loop: Loop[None], owner: Owner, decides: bool, pid: int = 0
    ) -> None:
        super().__init__(sock, loop, owner, pid)
        self._decides = decides
        self._worker: Connection | None = None
        self._is_ready = False  # whether its worker has loaded the function
        self._line = b""  # the beginning of a line that is not complete

    def fork_worker(self, log: str) -> None:
        """Have the launcher, a copy of the template, fork a worker."""
        self._connection.send("fork", log, descriptor=self._open())

    def spawn_worker(self, given: dict[str, Any], variables: dict[str, str], log: str) -> None:
        """Have the launcher start a worker as a new process."""
        arguments = boot.command("worker", REPORT_FD, **given)
        self._connection.send(
            "spawn", arguments, arguments[0], variables, log, "", descriptor=self._open()
        )

    def start(self, job: SupervisedJob) -> bool:
        told = job.told
        if self._worker is not None:
            self._worker.send("job", job.id, *told["call"], told["checkpoints"], told["log"])
        if self._worker is None or self._worker.is_broken or not self._worker.is_open:
            return False
        self._take_on(job)
        job.begin(self.leader, time.monotonic())
        self._log = (told["log"], self.leader)
        self._loop.later((self, "log"), _FOLLOWED, partial(logs.name, *self._log))
        return True

    def ask_to_end(self) -> None:
        if self._worker is not None:
            self._worker.send("stop")

    def go_on(self) -> None:
        """Let the job go on that waits for an answer."""
        if self.job is not None and self.job.answer() and self._worker is not None:
            self._worker.send("go")

    def listen(self, listens: bool) -> None:
        if self._worker is not None:
            self._worker.listen(listens)

    def read(self) -> int:
        return 0 if self._worker is None else self._worker.read()

    def close(self) -> None:
        self._close_worker()
        super().close()

    def _open(self) -> int:
        """Open a connection to a worker; return the descriptor of its end."""
        ours, theirs = socket.socketpair()
        self._worker = Connection(ours, self._loop, self._hear, self._lose_worker)
        return theirs.detach()

    def _hear(self, data: bytes) -> None:
        """Pass on what the worker says of its job; see when the job reports, and when it ends."""
        job = self.job
        if job is None:
            if data == b'["ready"]\n':
                self._is_ready = True
                if self.leader:  # else its launcher has not said yet which process it is
                    self._owner.idle(self)
            else:  # an earlier job of it writes there; it is used no more
                self.kill()
            return
        job.hear(data)
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest if rest.startswith(_FINISHED) else rest[: len(_FINISHED)]
        for line in lines:
            if line.startswith(_REPORT):
                if self._decides:
                    job.ask()
                    self._owner.asks(self)
            elif line is lines[-1] and not rest and _is_end(line):
                self._loop.never(self)
                self._loop.never((self, "log"))
                self.job = None
                self._owner.ended(job, None)
                self._owner.idle(self)
            else:  # the job has written it; its worker is used no more
                self.kill()
                return

    def _lose_worker(self) -> None:
        """The worker's socket is closed: it has ended, or its job has closed the socket."""
        self._loop.later(self, _CLOSING, self._give_up)

    def _give_up(self) -> None:
        if self.job is not None and not self.job.cause:
            self.job.cause = "closed"
        self.kill()

    def _on_started(self, began: float) -> None:
        if self._is_ready:
            self._owner.idle(self)

    def _on_refused(self, number: int | None, text: str) -> None:
        self._lose_all(None, (number, text))

    def _on_exited(self, status: int) -> None:
        self._lose_all(status)

    def _on_launcher_lost(self) -> None:
        self._lose_all(None)

    def _lose_all(self, status: int | None, refusal: tuple[int | None, str] | None = None) -> None:
        """Its worker has ended, and the next one gets its own slot."""
        job, self.job = self.job, None
        self._loop.never((self, "log"))
        if job is not None:
            logs.name(*self._log)
        self.close()
        self._owner.gone(self, status, refusal)
        if job is not None:
            self._owner.ended(job, status)

    def _close_worker(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _is_gone(leader: int) -> bool:
    """Return whether a process has ended, also if its parent has reaped it and not said so yet."""
    try:
        return has_ended(leader)
    except ProcessLookupError:
        return True


_REPORT, _FINISHED = b'["report"', b'["finished"'
"""How the lines of a worker begin."""


def _is_end(line: bytes) -> bool:
    """Return whether a line records the end of a job; a job can write lines that look similar."""
    try:
        kind, outcome, reason, _ = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return False
    is_known = outcome in ("completed", "failed", "cancelled")
    return kind == "finished" and is_known and isinstance(reason, str)
