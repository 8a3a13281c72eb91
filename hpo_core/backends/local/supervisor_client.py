"""The controller's end of the connection to a supervisor that it has started or found.

Only `attach` and `close` wait for a supervisor.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from hpo_core.backends.supervisor import boot, journal
from hpo_core.backends.supervisor.connection import Connection, messages
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import PATIENCE, signal_process

STARTS_AND_ENDS = PATIENCE
"""Maximum time in seconds for a supervisor to end all jobs and itself after a request to close."""


class SupervisorClient:
    """The connection to a supervisor.

    Args:
        sock: The socket to it.
        pid: Its process.
        journal_path: The file of its journal; None for none.
        process: Its process, if this one has started it.
        loop: The event loop.
        on_message: Called with this client and each message.
        on_end: Called with this client if the supervisor ends without a request to close.

    Attributes:
        pid: Its process.
        is_attaching: Whether it has not yet sent its state, so that its journal is still needed.
        is_lost: Whether it has ended unexpectedly.
    """

    def __init__(
        self,
        sock: socket.socket,
        pid: int,
        journal_path: str | None,
        process: subprocess.Popen[bytes] | None,
        loop: Loop[Any],
        on_message: Callable[..., None],
        on_end: Callable[[SupervisorClient], None],
    ) -> None:
        self.pid = pid
        self._journal = journal_path
        self._process = process
        self._on_message = on_message
        self._on_end = on_end
        self._loop = loop
        self._is_closing = self.is_lost = False
        self.is_attaching = process is None
        self._connection = Connection(sock, loop, messages(self._take), self._lose)
        self.put = self._connection.put
        self.flush = self._connection.flush

    def close(self) -> bool:
        """Request the supervisor to kill all its jobs and end; wait until it has ended.

        Returns:
            Whether it is certain that no process of its jobs is left. This is the case if the
            supervisor is a child of this process and inherits the orphans of its jobs.
        """
        self._is_closing = True
        self.put("close")
        self.flush()
        until = time.monotonic() + STARTS_AND_ENDS
        while self._connection.is_open and (left := until - time.monotonic()) > 0:
            self._loop.run(left)
        self._connection.close()
        self._reap(until)
        is_child = self._process is not None and self._process.returncode == 0
        return is_child and sys.platform == "linux"

    def kill(self) -> None:
        """Kill the supervisor; its jobs become orphans."""
        self._is_closing = True
        self._connection.close()
        self._reap(time.monotonic())

    def _take(self, *message: Any) -> None:
        if not self._is_closing:
            self._on_message(self, *message)

    def _lose(self) -> None:
        self.is_lost = True
        if self._is_closing:
            self._loop.interrupt()
        else:
            self._reap(time.monotonic())
            self._on_end(self)

    def _reap(self, until: float) -> None:
        """Kill the supervisor if it has not ended in time, and remove its files."""
        if self._process is not None:
            try:
                self._process.wait(max(until - time.monotonic(), 0.5))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        elif not self.is_lost:
            signal_process(self.pid, signal.SIGKILL)
        if self._journal is not None and not self.is_attaching:
            journal.remove(self._journal)


def start(
    loop: Loop[Any],
    on_message: Callable[..., None],
    on_end: Callable[[SupervisorClient], None],
    folder: str | None,
    environment: dict[str, str],
    pickle: int | None,
    locks: Sequence[int],
    **given: Any,
) -> SupervisorClient:
    """Start a supervisor.

    Args:
        loop: What waits for it.
        on_message: Called with the client and each message.
        on_end: Called with the client if the supervisor ends by itself.
        folder: The folder of journals; None if jobs end with the controller.
        environment: The environment of the supervisor and the jobs.
        pickle: The descriptor of a function that workers cannot import.
        locks: Descriptors of locks that it has until it ends.
        **given: Arguments of `hpo_core.backends.supervisor.supervisor.run`.

    Raises:
        OSError: If it cannot be started.
    """
    ours, theirs = socket.socketpair()
    book, path = (None, None) if folder is None else journal.create(folder)
    kept = [number for number in (theirs.fileno(), book, pickle, *locks) if number is not None]
    output = None if folder is None else subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            boot.command("supervisor", theirs.fileno(), journal=book, pickle=pickle, **given),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=kept,
            start_new_session=True,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
        if book is not None:
            os.close(book)
    return SupervisorClient(ours, process.pid, path, process, loop, on_message, on_end)


def connect(path: str, pid: int) -> socket.socket | None:
    """Connect to the supervisor that listens on a socket; return None if it no longer listens.

    A stopped supervisor is continued first. Sockets of another user are rejected.
    """
    sock = socket.socket(socket.AF_UNIX)
    try:
        if os.stat(path).st_uid != os.getuid():
            raise OSError("the socket belongs to another user")
        sock.settimeout(STARTS_AND_ENDS)
        sock.connect(path)
        if sys.platform == "linux" and _peer(sock) != pid:
            raise OSError("another process listens")
        os.kill(pid, signal.SIGCONT)
    except OSError:
        sock.close()
        return None
    return sock


def _peer(sock: socket.socket) -> int:
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[:4], sys.byteorder)
