"""The controller's end of the connection to a supervisor: one that it starts, or has found.

Nothing here waits for a supervisor, but for the end of `attach` and `close`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from hpo_core.backends.supervisor import boot, journal
from hpo_core.backends.supervisor.connection import Connection, messages
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import PATIENCE, signal_process

STARTS_AND_ENDS = PATIENCE
"""Seconds in which a supervisor that is told to close has ended all jobs, and itself."""


class SupervisorClient:
    """A supervisor, spoken with.

    Args:
        sock: The socket to it.
        pid: Its process.
        journal_path: The file of its journal; None for none.
        process: Its process, if this one has started it.
        loop: What waits for it.
        on_message: Called with this and each message.
        on_end: Called with this when it has ended, though it was not told to close.

    Attributes:
        pid: Its process.
        is_attaching: Whether it has not told yet what there is: its journal is still needed.
        is_lost: Whether it is gone.
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
        """Have it kill all its jobs, and end; wait until it has ended.

        Returns:
            Whether it is certain that no process of its jobs is left. It is where the supervisor is
            this process's child, and inherits what its jobs leave behind.
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
        """Kill it; its jobs are orphans then."""
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
        """Kill it if it has not ended in time, and remove what it has left."""
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
    **given: Any,
) -> SupervisorClient:
    """Start a supervisor.

    Args:
        loop: What waits for it.
        on_message: Called with the client and each message.
        on_end: Called with the client when it has ended by itself.
        folder: The folder of journals; None if jobs end with the controller.
        environment: Its variables, which are the jobs' too.
        **given: What it is told; see `hpo_core.backends.supervisor.supervisor.run`.

    Raises:
        OSError: If it can't be started.
    """
    ours, theirs = socket.socketpair()
    book, path = (None, None) if folder is None else journal.create(folder)
    kept = [number for number in (theirs.fileno(), book) if number is not None]
    output = None if folder is None else subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            boot.command("supervisor", theirs.fileno(), journal=book, **given),
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
    """Connect to the supervisor that listens on a socket; None if it does not any more.

    It is continued first, should it have been stopped. A socket of another user is not spoken to.
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
