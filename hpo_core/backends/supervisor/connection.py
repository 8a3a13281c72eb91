"""A non-blocking socket between two processes of a study: a JSON list on each line.

Data that cannot be sent immediately waits in memory. Each side always reads, even while it has data
to send, so no two processes can wait for each other.
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from hpo_core.backends.supervisor.lines import Lines
from hpo_core.backends.supervisor.loop import Loop

_READ = 1 << 16
"""Maximum number of bytes to read at once. Much larger buffers take the allocator far longer."""

_ROOM = socket.CMSG_SPACE(array.array("i").itemsize)
"""Buffer size for a file descriptor sent with them."""

_CLOSES = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
"""Sets close-on-exec on that descriptor, on Linux."""


def messages(on_message: Callable[..., None]) -> Callable[[bytes], None]:
    """Return a function that splits bytes into messages and calls `on_message` with the items of
    each.
    """
    lines = Lines()

    def feed(data: bytes) -> None:
        for line in lines.feed(data):
            on_message(*json.loads(line))

    return feed


class Connection:
    """One end of a socket, served by a loop.

    Args:
        sock: The socket; it is made non-blocking.
        loop: The event loop.
        on_data: Called with received data; see `messages`.
        on_close: Called once when the other side has closed the connection.
        on_sent: Called whenever all waiting data has been sent.

    Attributes:
        is_open: Whether neither side has closed it.
        is_broken: Whether sending has failed.
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: Loop[Any],
        on_data: Callable[[bytes], None],
        on_close: Callable[[], None],
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._loop = loop
        self._on_data = on_data
        self._on_close = on_close
        self._on_sent = on_sent
        self._unsent = bytearray()
        self._descriptors: list[int] = []
        self.is_open, self.is_broken = True, False
        loop.watch(sock, self.read)

    @property
    def waiting(self) -> int:
        """Number of bytes waiting to be sent."""
        return len(self._unsent)

    def put(self, *message: Any) -> None:
        """Queue a message for the next `flush`."""
        self.write(json.dumps(message).encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Queue bytes for the next `flush`."""
        if self.is_open:
            self._unsent += data

    def send(self, *message: Any, descriptor: int | None = None) -> None:
        """Send a message with a file descriptor, which is closed in this process once it is
        sent.
        """
        self.put(*message)
        if descriptor is not None:
            self._descriptors.append(descriptor)
        self.flush()

    def flush(self) -> None:
        """Send waiting data as far as possible; the loop sends the rest."""
        if not self.is_open:
            return
        try:
            while self._unsent:
                del self._unsent[: self._send_once()]
        except BlockingIOError:
            self._loop.watch_room(self._socket, self.flush)
        except OSError:
            self._unsent.clear()
            self.is_broken = True  # the connection is closed, which the next read will notice
        else:
            self._loop.watch_room(self._socket, None)
            self._on_sent()

    def read(self) -> int:
        """Read once, as the loop does; return the number of bytes."""
        if not self.is_open:
            return 0
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if data:
            self._on_data(data)
        else:
            self.close()
            self._on_close()
        return len(data)

    def listen(self, listens: bool) -> None:
        """Start or stop reading from the other side."""
        if self.is_open:
            self._loop.pause(self._socket, not listens)

    def close(self) -> None:
        """Close the socket."""
        if self.is_open:
            self.is_open = False
            self._unsent.clear()
            self._close_descriptors()
            self._loop.unwatch(self._socket)
            self._socket.close()

    def _send_once(self) -> int:
        if not self._descriptors:
            return self._socket.send(self._unsent)
        sent = socket.send_fds(self._socket, [self._unsent], self._descriptors)
        self._close_descriptors()
        return sent

    def _close_descriptors(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()


class BlockingConnection:
    """One end of a socket in a process that blocks while it waits.

    Args:
        sock: The socket.

    Attributes:
        descriptors: The file descriptors received with messages, in order.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._received = b""
        self.descriptors: deque[int] = deque()

    def send(self, *message: Any) -> None:
        """Send a message.

        Raises:
            OSError: If the other side has closed the connection.
        """
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, *, waits: bool = True) -> list[Any]:
        """Return the next message.

        Args:
            waits: Whether to wait for it; if not, an empty list is returned if none has arrived.

        Raises:
            EOFError: If the other side is gone.
        """
        flags = 0 if waits else socket.MSG_DONTWAIT
        while b"\n" not in self._received:
            try:
                data, ancillary, *_ = self._socket.recvmsg(_READ, _ROOM, flags | _CLOSES)
            except BlockingIOError:
                return []
            except ConnectionResetError:
                data, ancillary = b"", []
            if not data:
                raise EOFError("the other side is gone")
            self._received += data
            for *_, packed in ancillary:
                for descriptor in array.array("i", packed):
                    if not _CLOSES:
                        os.set_inheritable(descriptor, False)
                    self.descriptors.append(descriptor)
        line, _, self._received = self._received.partition(b"\n")
        message: list[Any] = json.loads(line)
        return message
