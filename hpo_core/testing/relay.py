"""A slow and unreliable network between jobs and a controller, for `BackendContract`."""

from __future__ import annotations

import contextlib
import socket
import threading

_CHUNK = 1000
"""Bytes that the relay passes on at once."""


class Relay:
    """Listens on this machine and passes everything on to a port, late and in small pieces.

    Attributes:
        reach: ``"host:port"`` at which it listens.
        port: The port that it passes everything on to; 0 to refuse connections.
        delay: Seconds by which each piece is late.
    """

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.reach = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.port = 0
        self.delay = 0.0
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections; new ones are accepted."""
        while self._sockets:
            _shut(self._sockets.pop())

    def close(self) -> None:
        """Break all connections, and refuse new ones."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.port), 5.0)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError), source, sink:
            try:
                while data := source.recv(_CHUNK if self.delay else 1 << 16):
                    self._closed.wait(self.delay)
                    sink.sendall(data)
            finally:
                for sock in (source, sink):
                    _shut(sock)


def _shut(sock: socket.socket) -> None:
    """Break a connection. To close its socket is not enough while another thread reads from it."""
    with contextlib.suppress(OSError):  # it is closed
        sock.shutdown(socket.SHUT_RDWR)
