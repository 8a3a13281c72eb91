"""Signed lines of JSON between a controller and the agents of its jobs.

Both ends prove that they have the study's key before anything else is read, and every line after
that has a signature over its content and its number, so that no line can be changed, repeated, left
out or sent back. Lines are not encrypted.

    controller   hpo-core 1 NONCE
    agent        NONCE JOB PROOF
    controller   PROOF
    both         SIGNATURE JSON
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import socket
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

from hpo_core.backends.supervisor.connection import Connection
from hpo_core.backends.supervisor.lines import Lines
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.client import LONGEST

LONGEST_LINE = 2 * LONGEST
"""Maximum size of a line in bytes: a report, and what stands around it."""

LONGEST_UNPROVEN = 512
"""Maximum size of a line before the key is proven."""

UNPROVEN_FOR = 30.0
"""Seconds after which a connection is closed on which the key has not been proven."""

_GREETING = "hpo-core 1"


class Refused(Exception):
    """The other end has not proven the key, or does not keep to the protocol."""


class Signer:
    """Signs the lines of one direction, or checks their signatures.

    Args:
        key: The key of this direction.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._count = 0

    def sign(self, content: bytes) -> bytes:
        """Return the next line."""
        return self._signature(content) + b" " + content + b"\n"

    def check(self, line: bytes) -> bytes:
        """Return the content of the next line, without its end.

        Raises:
            Refused: If the signature is wrong.
        """
        signature, _, content = line.partition(b" ")
        if not hmac.compare_digest(signature, self._signature(content)):
            raise Refused("a line has a wrong signature")
        return content

    def _signature(self, content: bytes) -> bytes:
        self._count += 1
        return _digest(self._key, str(self._count).encode(), content)


class Session(NamedTuple):
    """What the two ends have agreed on.

    Attributes:
        job_id: The job.
        sender: Signs lines that are sent.
        receiver: Checks lines that are received.
        last: What is still to be sent, unsigned.
    """

    job_id: str
    sender: Signer
    receiver: Signer
    last: bytes = b""


Handshake: TypeAlias = Generator[bytes, bytes, Session]
"""Yields what is to be sent, is sent the lines that are received, and returns the session."""


def serve(key: bytes) -> Handshake:
    """Prove a key to an agent that has proven it; the controller's end."""
    own = secrets.token_hex(16)
    line = yield f"{_GREETING} {own}\n".encode()
    try:
        other, job_id, proof = line.decode("ascii").split(" ")
    except ValueError:
        raise Refused("this is no agent of hpo-core") from None
    secret = _digest(key, own.encode(), other.encode(), job_id.encode())
    if not hmac.compare_digest(proof.encode(), _digest(secret, b"agent")):
        raise Refused("it does not have the study's key")
    last = _digest(secret, b"controller") + b"\n"
    return Session(job_id, Signer(_digest(secret, b"down")), Signer(_digest(secret, b"up")), last)


def join(key: bytes, job_id: str) -> Handshake:
    """Prove a key to the controller, and have it prove the key; the agent's end."""
    line = yield b""
    greeting, _, other = line.decode("ascii", errors="replace").rpartition(" ")
    if greeting != _GREETING:
        raise Refused("what listens there is no controller of hpo-core")
    own = secrets.token_hex(16)
    secret = _digest(key, other.encode(), own.encode(), job_id.encode())
    proof = _digest(secret, b"agent")
    line = yield f"{own} {job_id} {proof.decode()}\n".encode()
    if not hmac.compare_digest(line, _digest(secret, b"controller")):
        raise Refused("what listens there does not have the study's key")
    return Session(job_id, Signer(_digest(secret, b"up")), Signer(_digest(secret, b"down")))


class SignedConnection:
    """One end of a connection.

    Args:
        sock: The connected socket.
        loop: The event loop that serves it.
        handshake: `serve` or `join`.
        on_open: Called with this connection once both ends have proven the key.
        on_message: Called with this connection and each message.
        on_close: Called with this connection and the reason, or ``""``, if it was not closed here.
        on_sent: Called whenever all waiting data has been sent.

    Attributes:
        job_id: The job at the other end or this one; ``""`` until the key is proven.
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: Loop[Any],
        handshake: Handshake,
        on_open: Callable[[SignedConnection], None],
        on_message: Callable[[SignedConnection, list[Any]], None],
        on_close: Callable[[SignedConnection, str], None],
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        with contextlib.suppress(OSError):  # not for every kind of socket
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.job_id = ""
        self._loop = loop
        self._handshake: Handshake | None = handshake
        self._on_open, self._on_message, self._on_close = on_open, on_message, on_close
        self._lines = Lines()
        self._connection = Connection(sock, loop, self._feed, self._lost, on_sent)
        self._connection.write(next(handshake))
        self._connection.flush()
        loop.later(self, UNPROVEN_FOR, self._give_up)

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._connection.is_open and self._handshake is None

    @property
    def waiting(self) -> int:
        """Number of bytes waiting to be sent."""
        return self._connection.waiting

    def send(self, *message: Any) -> None:
        """Send a message; nothing if it is not open."""
        self.send_text(json.dumps(message, ensure_ascii=False).encode())

    def send_text(self, content: bytes) -> None:
        """Send a message that is JSON already."""
        if self.is_open:
            self._connection.write(self._sender.sign(content))
            self._connection.flush()

    def close(self) -> None:
        """Close the connection, without a call of `on_close`."""
        self._loop.never(self)
        self._connection.close()

    def _feed(self, data: bytes) -> None:
        try:
            for line in self._lines.feed(data):
                if not self._connection.is_open:
                    return
                if self._handshake is not None:
                    self._shake(line)
                else:
                    self._hear(line)
            longest = LONGEST_LINE if self._handshake is None else LONGEST_UNPROVEN
            if self._lines.pending > longest:
                raise Refused(f"a line is longer than {longest:,} bytes")
        except Refused as refused:
            self._lost(str(refused))

    def _shake(self, line: bytes) -> None:
        assert self._handshake is not None
        if len(line) > LONGEST_UNPROVEN:
            raise Refused(f"a line is longer than {LONGEST_UNPROVEN} bytes")
        try:
            self._connection.write(self._handshake.send(line))
        except StopIteration as ended:
            self._begin(ended.value)
        self._connection.flush()

    def _begin(self, session: Session) -> None:
        self.job_id, self._sender, self._receiver, last = session
        self._connection.write(last)
        self._handshake = None
        self._loop.never(self)
        self._on_open(self)

    def _hear(self, line: bytes) -> None:
        if len(line) > LONGEST_LINE:
            raise Refused(f"a line is longer than {LONGEST_LINE:,} bytes")
        try:
            message = json.loads(self._receiver.check(line))
        except (ValueError, RecursionError):
            raise Refused("a line is not JSON") from None
        if not isinstance(message, list) or not message:
            raise Refused("a message is not a list")
        self._on_message(self, message)

    def _give_up(self) -> None:
        self._lost("the key was not proven in time")

    def _lost(self, why: str = "") -> None:
        self.close()
        self._on_close(self, why)


def _digest(key: bytes, *parts: bytes) -> bytes:
    """Return a keyed digest of parts, in hexadecimal digits."""
    return hmac.new(key, b"\0".join(parts), "sha256").hexdigest().encode()
