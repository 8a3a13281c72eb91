"""A running dashboard server, and a client for it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from hpo_view.dashboard.server import application

TOKEN = "secret-token"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


class Served(NamedTuple):
    port: int
    store: Path

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> Answer:
        """Send a request, with the token unless headers say otherwise."""
        sent = {"Authorization": f"token {TOKEN}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, {k: v for k, v in sent.items() if v})
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, found, got.read().decode())

    def json(self, path: str) -> Any:
        return json.loads(self.ask(path).text)

    @contextmanager
    def events(self, query: str = "") -> Iterator[Callable[[], str]]:
        """Yield what returns the next event's name, and waits for it."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(
                "GET", f"/events{query}", headers={"Authorization": f"token {TOKEN}"}
            )
            got = connection.getresponse()

            def following() -> str:
                while not (line := got.readline().decode()).startswith("event: "):
                    assert line, "the stream has ended"
                return line.partition(" ")[2].strip()

            yield following


@contextmanager
def served(store: Path, **more: Any) -> Iterator[Served]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    port = listening.getsockname()[1]
    app = application(str(store), token=TOKEN, port=port, **more)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=0, lifespan="on")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Served(port, store)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
