"""The controller's end of the line to its keeper of commands; see `hpo_core.backends.local.keeper`.

A keeper that was killed is replaced when the next command is to be started.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hpo_core.backends import journal
from hpo_core.backends.local.lines import Lines
from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.processes import Group

_BOOT = """
import json, sys
path, keeping = json.loads(sys.argv[1])
sys.path[:] = path
from hpo_core.backends.local.keeper import main
main(**keeping)
"""

_PATIENCE = 10.0
"""Seconds in which a keeper that is told to close has ended all its commands, and itself."""

_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Keeping:
    """A keeper, started and spoken with.

    Args:
        environment: Its variables, which are its commands' too.
        added: Variables of theirs on top.
        directory: Where they run.
        folder: The folder of journals; None if commands end with the controller.
        loop: What waits for it.

    Attributes:
        on_message: Called with each message.
        on_end: Called when it is dead, though it was not told to close.
    """

    on_message: Callable[..., None]
    on_end: Callable[[], None]

    def __init__(
        self,
        environment: Mapping[bytes, bytes],
        added: Mapping[str, str],
        directory: str,
        folder: str | None,
        loop: Loop[Any],
    ) -> None:
        self._environment = environment
        self._added = dict(added)
        self._directory = directory
        self._folder = folder
        self._loop = loop
        self._group: Group | None = None
        self._socket: socket.socket
        self._journal: str | None = None
        self._lines = Lines()

    def send(self, *message: Any) -> None:
        """Send it a message, to a new one if there is none; that it is dead is heard by the loop.

        Raises:
            OSError: If it can't be started.
        """
        if self._group is None:
            self._start()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(_encode(message) + b"\n")

    def close(self) -> None:
        """Have it kill all its commands, and end."""
        if self._group is not None:
            self.send("close")
            select.select([self._group.exit], [], [], _PATIENCE)
            self._reap()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        book, self._journal = (None, None) if self._folder is None else journal.create(self._folder)
        given = {"descriptor": theirs.fileno(), "journal": book, "folder": self._folder or ""}
        path = [entry or os.getcwd() for entry in sys.path]
        boot = json.dumps([path, {**given, "directory": self._directory, "added": self._added}])
        try:
            self._group = Group(
                [sys.executable, "-c", _BOOT, boot],
                self._directory,
                self._environment,
                None,
                [number for number in (theirs.fileno(), book) if number is not None],
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            if book is not None:
                os.close(book)
        self._socket = ours
        self._lines = Lines()
        self._loop.watch(ours, self._hear)

    def _hear(self) -> None:
        try:
            data = self._socket.recv(1 << 18, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        for line in self._lines.feed(data):
            self.on_message(*_decode(line))
        if not data:
            self._reap()
            self.on_end()

    def _reap(self) -> None:
        assert self._group is not None
        self._loop.unwatch(self._socket)
        self._socket.close()
        self._group.signal(signal.SIGKILL)
        self._group.end()
        self._group = None
        if self._journal is not None:
            journal.remove(self._journal)
