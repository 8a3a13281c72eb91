"""What a controller takes from the network: signed lines of those that have the study's key."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hpo_core.backends.remote.channel import ReportChannel
from hpo_core.backends.remote.reporter import ReportClient
from hpo_core.backends.remote.wire import (
    LONGEST_LINE,
    LONGEST_UNPROVEN,
    Refused,
    SignedConnection,
    Signer,
    join,
    serve,
)
from hpo_core.backends.supervisor.loop import Loop

KEY = "00" * 32
HANGS = 60.0


class Controller:
    """A channel with all that comes through it."""

    def __init__(self) -> None:
        self.loop: Loop[Any] = Loop()
        self.opened: list[SignedConnection] = []
        self.heard: list[Any] = []
        self.closed: list[str] = []
        self.channel = ReportChannel(
            self.loop,
            KEY,
            host="127.0.0.1",
            on_open=self._open,
            on_message=lambda _, message: self._note(self.heard, message),
            on_close=lambda connection: self._note(self.closed, connection.job_id),
        )

    def _open(self, connection: SignedConnection) -> None:
        connection.send("have", 0)
        self._note(self.opened, connection)

    def _note(self, where: list[Any], what: Any) -> None:
        where.append(what)
        self.loop.interrupt()

    def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self.loop.run(HANGS)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.channel.port), HANGS)


@pytest.fixture
def controller() -> Iterator[Controller]:
    controller = Controller()
    yield controller
    controller.channel.close()
    controller.loop.close()


def client(controller: Controller, key: str = KEY) -> tuple[ReportClient, list[Any]]:
    heard: list[Any] = []

    def note(message: Any = None) -> None:
        heard.append(message)
        controller.loop.interrupt()

    endpoint = controller.channel.endpoint.__class__(key, ("127.0.0.1",), controller.channel.port)
    made = ReportClient(
        controller.loop, "7.1", lambda: endpoint, patience=1.0,
        on_open=note, on_message=note, on_lost=lambda: note("lost"),
    )  # fmt: skip
    made.connect()
    return made, heard


def test_both_ends_prove_the_key_and_then_hear_each_other(controller: Controller) -> None:
    agent, heard = client(controller)
    controller.until(lambda: ["have", 0] in heard)
    assert controller.opened[0].job_id == "7.1"
    agent.send(b'["record", 0, []]')
    controller.until(lambda: controller.heard == [["record", 0, []]])
    agent.close()
    controller.until(lambda: controller.closed == ["7.1"])


def test_without_the_key_nothing_is_heard(
    controller: Controller, caplog: pytest.LogCaptureFixture
) -> None:
    agent, heard = client(controller, key="11" * 32)
    controller.until(lambda: bool(heard))
    assert heard == ["lost"]
    assert not controller.opened
    assert "does not have the study's key" in caplog.text
    agent.close()


def test_a_client_connects_again(controller: Controller) -> None:
    agent, heard = client(controller)
    controller.until(lambda: ["have", 0] in heard)
    controller.channel.drop(controller.opened[0])
    controller.until(lambda: heard.count(["have", 0]) == 2)
    assert "lost" in heard
    agent.close()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * (LONGEST_UNPROVEN + 1),
        b"a b c\n",
        b"\xff\xfe\n",
        b"\n",
        json.dumps(["record", 0, []]).encode() + b"\n",
    ],
)
def test_what_is_no_agent_is_cut_off(controller: Controller, data: bytes) -> None:
    with controller.connect() as sock:
        sock.sendall(data)
        sock.setblocking(False)
        greeting = b""
        while True:
            controller.loop.run(0.05)
            try:
                received = sock.recv(4096)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                break
            if not received:
                break
            greeting += received
    assert not controller.opened
    assert greeting.startswith(b"hpo-core 1 ")


def test_a_line_that_is_changed_repeated_or_left_out_is_refused() -> None:
    key = bytes.fromhex(KEY)
    lines = [Signer(key).sign(b"[1]").rstrip(b"\n")]
    sender = Signer(key)
    lines = [sender.sign(content).rstrip(b"\n") for content in (b"[1]", b"[2]")]
    receiver = Signer(key)
    assert receiver.check(lines[0]) == b"[1]"
    with pytest.raises(Refused):
        receiver.check(lines[0])
    with pytest.raises(Refused):
        Signer(key).check(lines[1])
    with pytest.raises(Refused):
        Signer(key).check(lines[0].replace(b"[1]", b"[9]"))


def test_the_two_directions_and_each_session_have_other_keys() -> None:
    sessions = []
    for _ in range(2):
        down, up = serve(bytes.fromhex(KEY)), join(bytes.fromhex(KEY), "7.1")
        greeting = next(down)
        assert next(up) == b""
        proof = up.send(greeting.rstrip(b"\n"))
        with pytest.raises(StopIteration) as served:
            down.send(proof.rstrip(b"\n"))
        with pytest.raises(StopIteration) as joined:
            up.send(served.value.value.last.rstrip(b"\n"))
        line = joined.value.value.sender.sign(b"[]").rstrip(b"\n")
        assert served.value.value.receiver.check(line) == b"[]"
        with pytest.raises(Refused):
            served.value.value.sender.check(line)
        sessions.append(line)
    assert sessions[0] != sessions[1]


def test_a_line_without_an_end_is_cut_off_at_its_bound(controller: Controller) -> None:
    near, far = socket.socketpair()
    said: list[str] = []
    handshake = join(bytes.fromhex(KEY), "7.1")
    connection = SignedConnection(
        near, controller.loop, handshake, lambda _: None, lambda *_: None,
        lambda _, why: (said.append(why), controller.loop.interrupt())[1],
    )  # fmt: skip
    far.sendall(b"x" * (LONGEST_UNPROVEN + 1))
    controller.until(lambda: bool(said))
    assert said == [f"a line is longer than {LONGEST_UNPROVEN:,} bytes"]
    assert not connection.is_open
    assert LONGEST_LINE <= 1 << 22
    far.close()
