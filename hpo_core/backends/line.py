"""A worker's end of the line to its controller: a JSON list a line, both ways.

Worker processes import this: the standard library and `hpo_core.client` alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

from hpo_core import client

LINE_CLOSED = 74
"""The exit status of a worker whose job has closed the line (EX_IOERR)."""


class Line:
    """The worker's end of the line to its controller."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._received = b""

    def send(self, *message: Any) -> None:
        """Send a message; that the controller is dead is heard when it is waited for.

        Raises:
            ValueError: If it is too long for the controller to take.
        """
        data = client.sized(json.dumps(message))
        with _or_exit(), contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def receive(self) -> list[Any]:
        """Wait for the next message; it is ``["dead"]`` if there is no controller any more."""
        while b"\n" not in self._received:
            if not self._read(0):
                return ["dead"]
        return self._next()

    def peek(self) -> list[Any] | None:
        """Return the next message if it is here already."""
        if b"\n" not in self._received:
            try:
                if not self._read(socket.MSG_DONTWAIT):
                    return ["dead"]
            except BlockingIOError:
                return None
        return self._next() if b"\n" in self._received else None

    def _read(self, flags: int) -> int:
        try:
            with _or_exit():
                data = self._socket.recv(65536, flags)
        except ConnectionResetError:
            data = b""
        self._received += data
        return len(data)

    def _next(self) -> list[Any]:
        line, _, self._received = self._received.partition(b"\n")
        message: list[Any] = json.loads(line)
        return message


@contextlib.contextmanager
def _or_exit() -> Iterator[None]:
    """End this process if its line is of no more use."""
    try:
        yield
    except (BlockingIOError, ConnectionResetError):
        raise
    except OSError:
        os._exit(LINE_CLOSED)
