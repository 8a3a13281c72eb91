"""The agent's end: connects to the controller, and again whenever the connection is lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from hpo_core.backends.remote.channel import HEARTBEAT
from hpo_core.backends.remote.endpoint import Endpoint
from hpo_core.backends.remote.wire import SignedConnection, join
from hpo_core.backends.supervisor.loop import Loop

CONNECTS_IN = 3.0
"""Maximum time in seconds for a connection to one address to be established."""

BUSY = 300.0
"""Seconds in which a controller that computes a suggestion need not answer."""

_FIRST_RETRY, _LAST_RETRY = 0.2, 15.0
"""Seconds until a lost connection is tried again; each time twice as many."""


class ReportClient:
    """Keeps a connection to the controller of a job.

    Args:
        loop: The event loop that serves it.
        job_id: The job.
        find: Returns how the controller is reached now; None if that is not known.
        patience: Seconds in which a connection that was lost is expected to come back.
        on_open: Called once a connection is established.
        on_message: Called with each message, other than signs of life.
        on_lost: Called when a connection is lost, and again when it has not come back in time.
        on_sent: Called whenever all waiting data has been sent, if given.
    """

    def __init__(
        self,
        loop: Loop[Any],
        job_id: str,
        find: Callable[[], Endpoint | None],
        *,
        patience: float,
        on_open: Callable[[], None],
        on_message: Callable[[list[Any]], None],
        on_lost: Callable[[], None],
        on_sent: Callable[[], None] | None = None,
    ) -> None:
        self._loop = loop
        self._job_id = job_id
        self._find = find
        self._patience = patience
        self._on_open, self._on_message = on_open, on_message
        self._on_lost, self._on_sent = on_lost, on_sent
        self._connection: SignedConnection | None = None
        self._lost_at: float | None = None
        self._delay = _FIRST_RETRY
        self.why = ""

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._connection is not None and self._connection.is_open

    @property
    def is_expected(self) -> bool:
        """Whether there is a connection, or one that was lost is expected to come back."""
        if self._connection is not None:
            return True
        lost = self._lost_at
        return lost is not None and time.monotonic() - lost < self._patience

    @property
    def waiting(self) -> int:
        """Number of bytes waiting to be sent."""
        return 0 if self._connection is None else self._connection.waiting

    def connect(self) -> None:
        """Connect now; on failure, try again later."""
        endpoint = self._find()
        sock = None if endpoint is None else self._reach(endpoint)
        if endpoint is None or sock is None:
            self._retry()
            return
        self._connection = SignedConnection(
            sock,
            self._loop,
            join(bytes.fromhex(endpoint.key), self._job_id),
            self._opened,
            self._hear,
            self._closed,
            self._on_sent or (lambda: None),
        )

    def send(self, content: bytes) -> None:
        """Send a message that is JSON already; nothing if there is no connection."""
        if self._connection is not None:
            self._connection.send_text(content)

    def close(self) -> None:
        """Close the connection for good."""
        for name in ("retry", "alive", "silent", "patience"):
            self._loop.never((self, name))
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lost_at = None

    def _reach(self, endpoint: Endpoint) -> socket.socket | None:
        failed = []
        for host in endpoint.hosts:
            try:
                return socket.create_connection((host, endpoint.port), CONNECTS_IN)
            except OSError as error:
                failed.append(f"{host}:{endpoint.port}: {error.strerror or error}")
        self.why = "; ".join(failed)
        return None

    def _opened(self, _: SignedConnection) -> None:
        self._lost_at, self._delay = None, _FIRST_RETRY
        self._loop.never((self, "patience"))
        self._expect()
        self._beat()
        self._on_open()

    def _hear(self, _: SignedConnection, message: list[Any]) -> None:
        self._loop.never((self, "silent"))
        self._expect()
        if message != ["alive"]:
            self._on_message(message)

    def _expect(self) -> None:
        self._loop.later((self, "silent"), BUSY, self._give_up)

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._closed(self._connection, "the controller did not answer")

    def _beat(self) -> None:
        self.send(b'["alive"]')
        self._loop.later((self, "alive"), HEARTBEAT, self._beat)

    def _closed(self, connection: SignedConnection, why: str) -> None:
        was_open = bool(connection.job_id)
        self._connection, self.why = None, why or "the connection was closed"
        self._loop.never((self, "silent"))
        self._loop.never((self, "alive"))
        if was_open:
            self._lost_at = time.monotonic()
            self._loop.later((self, "patience"), self._patience + 0.01, self._on_lost)
        self._retry()
        self._on_lost()

    def _retry(self) -> None:
        self._loop.later((self, "retry"), self._delay, self.connect)
        self._delay = min(2 * self._delay, _LAST_RETRY)
