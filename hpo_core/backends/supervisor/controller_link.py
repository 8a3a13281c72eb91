"""The connection of a supervisor to its controller, or to the next one."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

from hpo_core.backends.supervisor.connection import Connection, messages
from hpo_core.backends.supervisor.loop import Loop

UNSENT_AT_MOST = 1 << 20
"""Maximum number of bytes waiting to be read by the controller; above it no job is read."""


class ControllerLink:
    """Sends messages to the controller, and passes on its own.

    Args:
        loop: The event loop.
        on_message: Called with each message.
        on_lost: Called when the controller has died.
        on_sent: Called whenever all waiting messages have been sent.
    """

    def __init__(
        self,
        loop: Loop[None],
        *,
        on_message: Callable[..., None],
        on_lost: Callable[[], None],
        on_sent: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_sent = on_sent
        self._controller: Connection | None = None
        self._folder = ""

    @property
    def is_alone(self) -> bool:
        """Whether there is no controller."""
        return self._controller is None

    @property
    def is_full(self) -> bool:
        """Whether too much waits to be read by the controller."""
        return self._controller is not None and self._controller.waiting > UNSENT_AT_MOST

    def connect(self, sock: socket.socket) -> None:
        """Use a socket to a controller, in place of one that has died."""
        if self._controller is not None:  # that it has died is about to be read
            self._controller.close()
        self._controller = Connection(
            sock, self._loop, messages(self._on_message), self._lose, self._on_sent
        )

    def listen(self, on_connected: Callable[[], None]) -> str:
        """Listen for the next controller; return the path of the socket.

        Args:
            on_connected: Called once it is connected.
        """
        self._folder = tempfile.mkdtemp(prefix="hpo-")
        path = os.path.join(self._folder, "supervisor")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        listener.setblocking(False)

        def accept() -> None:
            sock, _ = listener.accept()
            self.connect(sock)
            on_connected()

        self._loop.watch(listener, accept)
        return path

    def tell(self, kind: str, *told: Any, within: float) -> None:
        """Send a message to the controller within a time in seconds, with those that follow."""
        if self._controller is None:
            return
        self._controller.put(kind, *told)
        if within > 0:
            self._loop.later("send", within, partial(self._loop.emit, None))
        else:
            self._loop.emit(None)

    def put(self, *message: Any) -> None:
        """Send a message to the controller with the next `flush`."""
        if self._controller is not None:
            self._controller.put(*message)

    def flush(self) -> None:
        """Send what waits to be sent."""
        if self._controller is not None:
            self._controller.flush()

    def remove(self) -> None:
        """Remove the socket on which it has listened."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _lose(self) -> None:
        self._controller = None
        self._on_lost()
