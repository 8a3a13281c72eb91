"""The controller's end: a TCP port to which the agents of jobs connect."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any

from hpo_core.backends.remote.endpoint import Endpoint, own_hosts
from hpo_core.backends.remote.wire import SignedConnection, serve
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.model.errors import BackendError

HEARTBEAT = 10.0
"""Seconds between the signs of life of an agent."""

SILENT = 3 * HEARTBEAT + 1
"""Seconds without any line after which a connection is considered broken, by either end."""

_UNPROVEN = 64
"""Maximum number of connections on which the key is not yet proven; the oldest is closed."""

_log = logging.getLogger("hpo_core")


class ReportChannel:
    """Listens for agents, and passes on what those say that have the study's key.

    Args:
        loop: The event loop that serves it.
        key: The study's key.
        host: The address to listen at; ``""`` for every address of this machine.
        port: The port to listen at; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` at which agents reach it; ``""`` if that is where it
            listens.
        on_open: Called with the connection of a job's agent.
        on_message: Called with such a connection and a message.
        on_close: Called with such a connection that is broken, or was closed by the agent.

    Raises:
        BackendError: If it cannot listen there.

    Attributes:
        endpoint: How agents reach it.
        port: The port at which it listens.
    """

    def __init__(
        self,
        loop: Loop[Any],
        key: str,
        *,
        host: str = "",
        port: int = 0,
        reach: str = "",
        on_open: Callable[[SignedConnection], None],
        on_message: Callable[[SignedConnection, list[Any]], None],
        on_close: Callable[[SignedConnection], None],
    ) -> None:
        self._loop = loop
        self._key = bytes.fromhex(key)
        self._on_open, self._on_message, self._on_close = on_open, on_message, on_close
        self._unproven: list[SignedConnection] = []
        self._open: dict[SignedConnection, None] = {}
        self._listener = _listen(host, port)
        self._listener.setblocking(False)
        loop.watch(self._listener, self._accept)
        at, _, at_port = reach.partition(":")
        hosts = (at,) if at else (host,) if host else own_hosts()
        self.port: int = self._listener.getsockname()[1]
        self.endpoint = Endpoint(key, hosts, int(at_port or self.port))

    def close(self) -> None:
        """Close all connections, and the port."""
        for connection in (*self._unproven, *self._open):
            self._loop.never((connection, "silent"))
            connection.close()
        self._loop.unwatch(self._listener)
        self._listener.close()

    def drop(self, connection: SignedConnection) -> None:
        """Close a connection."""
        self._forget(connection)
        connection.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # it has given up meanwhile, or too many files are open
            return
        while len(self._unproven) >= _UNPROVEN:
            self._unproven.pop(0).close()
        connection = SignedConnection(
            sock, self._loop, serve(self._key), self._opened, self._hear, self._closed
        )
        self._unproven.append(connection)

    def _opened(self, connection: SignedConnection) -> None:
        self._unproven.remove(connection)
        self._open[connection] = None
        self._expect(connection)
        self._on_open(connection)

    def _hear(self, connection: SignedConnection, message: list[Any]) -> None:
        self._loop.never((connection, "silent"))
        self._expect(connection)
        if message == ["alive"]:
            connection.send("alive")
        else:
            self._on_message(connection, message)

    def _expect(self, connection: SignedConnection) -> None:
        def give_up() -> None:
            connection.close()
            self._closed(connection, "")

        self._loop.later((connection, "silent"), SILENT, give_up)

    def _closed(self, connection: SignedConnection, why: str) -> None:
        if connection in self._open:
            self._forget(connection)
            if why:
                _log.warning("the connection of job %s was closed: %s", connection.job_id, why)
            self._on_close(connection)
        else:
            self._forget(connection)
            if why:
                _log.warning("a connection to the port of the study was refused: %s", why)

    def _forget(self, connection: SignedConnection) -> None:
        self._loop.never((connection, "silent"))
        self._open.pop(connection, None)
        with contextlib.suppress(ValueError):
            self._unproven.remove(connection)


def _listen(host: str, port: int) -> socket.socket:
    is_dual = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if is_dual or ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=512, dualstack_ipv6=is_dual
        )
    except OSError as error:
        where = f"{host or 'this machine'}, port {port}"
        raise BackendError(
            f"cannot listen for the reports of jobs at {where}: {error.strerror or error}; give "
            "another host or port in backend.options"
        ) from error
