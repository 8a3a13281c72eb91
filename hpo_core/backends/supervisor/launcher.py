"""The parent of one job at a time.

A job may signal, stop or kill its parent. Each job therefore has its own parent, which does nothing
else: what happens to it affects only that job. On Linux a launcher also inherits orphans that have
left the job's group, and ends them with the job.

    to a launcher      ["spawn", arguments, program, variables, log, checkpoints]  and a descriptor
                       ["fork", variables, log]  and a descriptor: a worker, from a template
                       ["hold"]: the job is being ended with a grace period
                       ["release"]: that period is over
    from a launcher    ["launcher", pid]   ["started", pid, time]   ["refused", errno, text]
                       ["leaving"]: of a held job, only the rest of its group runs
                       ["exited", status, stuck]: nothing of the job runs, but for what is stuck
                       ["ran", pid, time, status, stuck]: started and exited, of a short job

Times are of the monotonic clock, which all processes share. Arguments, program and variables are
those of a command; a variable that is null is unset. Its descriptor, the writing end of its report
pipe, becomes number 3.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from hpo_core.backends import logs
from hpo_core.backends.reused_folder import ReusedFolder
from hpo_core.backends.supervisor.connection import BlockingConnection
from hpo_core.backends.supervisor.processes import (
    become_subreaper,
    end_children,
    reap_group,
    signal_group,
)

REPORT_FD = 3
"""The number of a job's descriptor. Plain ``sh`` can only write to descriptors with one digit."""

_HIGH = 10
"""The first number for the launcher's own descriptors: lower ones are for its job."""

_RESET = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores but a job should not."""

SHORT = 0.01
"""Maximum run time in seconds of a command that is reported in one message; only on Linux."""


class Launcher:
    """Starts jobs, one after the other.

    Args:
        sock: The socket to the supervisor.
        environment: The variables of commands, without those of each job.
        serve: Turns the process into a worker on a socket; None if only commands are started.
    """

    def __init__(
        self,
        sock: socket.socket,
        environment: Mapping[bytes, bytes],
        serve: Callable[[socket.socket], NoReturn] | None,
    ) -> None:
        self._socket = sock
        self._supervisor = BlockingConnection(sock)
        self._environment = environment
        self._serve = serve
        self._log = logs.ReusedLog()
        self._folder = ReusedFolder()

    def run(self) -> NoReturn:
        """Serve the supervisor until it closes the connection; then end this process."""
        become_subreaper()
        if self._serve is None:
            while (
                os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) < _HIGH
            ):  # all later ones have high numbers
                pass
        try:
            self._supervisor.send("launcher", os.getpid())
            while True:
                kind, *told = self._supervisor.receive()
                if kind in ("spawn", "fork"):  # a message for the previous job may be late
                    self._start(kind, told, self._supervisor.descriptors.popleft())
        except (EOFError, OSError):  # the supervisor has ended
            self._log.remove()
            self._folder.remove()
            os._exit(0)

    def _start(self, kind: str, told: list[Any], descriptor: int) -> None:
        """Start a job, wait until none of its processes runs, and report its end."""
        descriptor = _moved(descriptor)
        try:
            start = self._fork if kind == "fork" else self._spawn
            pid = start(descriptor, *told)
        except (OSError, ValueError) as error:
            text = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._supervisor.send("refused", getattr(error, "errno", None), text)
            return
        finally:
            os.close(descriptor)
        began = time.monotonic()
        log = told[3] if kind == "spawn" else ""
        is_short = kind == "spawn" and _ends_within(SHORT, pid)
        if not is_short:
            logs.name(log, os.getpid())  # the process can be watched from now on
            self._supervisor.send("started", pid, began)
            self._wait(pid)
        signal_group(pid, signal.SIGKILL)
        status, has_left = reap_group(pid)
        stuck = end_children() if has_left else []
        if not stuck:
            self._log.end(log)
            self._folder.end()
        if is_short:
            self._supervisor.send("ran", pid, began, status, stuck)
        else:
            self._supervisor.send("exited", status, stuck)

    def _wait(self, pid: int) -> None:
        """Wait for the exit of a job's leader; if it is held, for the end of its grace period."""
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        held = False
        while message := self._supervisor.receive(waits=held):
            if message == ["release"]:
                break
            if not held:
                held = True
                self._supervisor.send("leaving")

    def _fork(self, descriptor: int, variables: dict[str, str], log: str) -> int:
        """Fork a worker that has `descriptor` as its socket."""
        assert self._serve is not None
        pid = os.fork()
        if pid:
            return pid
        with contextlib.suppress(BaseException):
            self._socket.close()
            os.setsid()
            logs.write_to(log)
            os.environ.update(variables)
            self._serve(socket.socket(fileno=os.dup(descriptor)))
        os._exit(1)

    def _spawn(
        self,
        descriptor: int,
        arguments: list[str],
        program: str,
        variables: dict[str, str | None],
        log: str,
        checkpoints: str,
    ) -> int:
        """Start a command that has `descriptor` as number 3."""
        self._log.begin(log)
        self._folder.begin(checkpoints)
        environment = dict(self._environment)
        for name, value in variables.items():
            if value is None:
                environment.pop(os.fsencode(name), None)
            else:
                environment[os.fsencode(name)] = os.fsencode(value)
        return _spawned(arguments, program, environment, descriptor)


def encoded(variables: Mapping[str, str]) -> dict[bytes, bytes]:
    """Encode environment variables for the system."""
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}


def _spawned(
    arguments: list[str],
    program: str,
    environment: Mapping[bytes, bytes],
    descriptor: int,
) -> int:
    """Start a program that leads a session; return its process id.

    Its standard input is empty, and its output goes to that of this process.
    """
    if sys.platform == "linux":
        return os.posix_spawn(
            program,
            arguments,
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, descriptor, REPORT_FD)],
            setsid=True,
            setsigmask=(),
            setsigdef=_RESET,
        )
    os.dup2(descriptor, REPORT_FD)
    try:
        process = subprocess.Popen(
            arguments,
            executable=program,
            env=environment,
            stdin=subprocess.DEVNULL,
            pass_fds=(REPORT_FD,),
            start_new_session=True,
        )
    finally:
        os.close(REPORT_FD)
    process.returncode = 0  # it is reaped here, not by its object
    return process.pid


def _ends_within(seconds: float, child: int) -> bool:
    """Wait for a time; return whether a child has ended by then. SIGCHLD is blocked."""
    if sys.platform != "linux":
        return False
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if signal.sigtimedwait((signal.SIGCHLD,), left) is None:
            return False
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
            return True
    return False


def become_launcher(
    sock: socket.socket,
    environment: Mapping[bytes, bytes],
    serve: Callable[[socket.socket], NoReturn] | None = None,
) -> NoReturn:
    """Become a launcher, in a process that has just been forked. Never returns."""
    try:
        _launch(sock, environment, serve)
    except Exception:  # noqa: BLE001  # the job counts as its cause, and the log has this
        traceback.print_exc()
    os._exit(1)


def _launch(
    sock: socket.socket,
    environment: Mapping[bytes, bytes],
    serve: Callable[[socket.socket], NoReturn] | None,
) -> NoReturn:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if serve is None:
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
    moved = socket.socket(fileno=_moved(sock.detach()))
    Launcher(moved, environment, serve).run()


def _moved(descriptor: int) -> int:
    """Move a descriptor of this process to a number that its job does not use."""
    if descriptor >= _HIGH:
        return descriptor
    high: int = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    os.close(descriptor)
    return high
