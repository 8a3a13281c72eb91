"""Jobs that have outlived their controller: found by the journals of their supervisors."""

from __future__ import annotations

import logging
import os
import socket
import threading
from fcntl import LOCK_SH, flock
from pathlib import Path
from typing import Any

import msgspec

from hpo_core.backends.local import journal_schema
from hpo_core.backends.local.supervisor_client import STARTS_AND_ENDS, connect
from hpo_core.backends.supervisor.journal import is_locked

_log = logging.getLogger("hpo_core")


class Left(msgspec.Struct, frozen=True):
    """A supervisor of an earlier controller: alive, or with the messages in its journal.

    Attributes:
        pid: Its process.
        sock: The socket connected to it; None if it has ended.
        messages: The messages of a supervisor that has ended.
    """

    pid: int
    sock: socket.socket | None
    messages: list[list[Any]]


def journals(folder: str) -> list[Path]:
    """Return the journals of a study's supervisors; journals in another user's folder are
    ignored.
    """
    if not os.path.isdir(folder) or os.stat(folder).st_uid != os.getuid():
        return []
    return sorted(Path(folder).iterdir())


def what_is_left(path: Path) -> Left | None:
    """Return what a supervisor has left, or None.

    A supervisor that is alive but does not answer is considered lost after some seconds.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if is_locked(descriptor):
            lines = _lines(path, file.read())
            if lines and isinstance(lines[0], journal_schema.SupervisorLine):
                sock = connect(lines[0].socket, lines[0].pid)
                if sock is not None:
                    return Left(lines[0].pid, sock, [])
            _wait_for(descriptor)  # it is ending, and writes its journal
            file.seek(0)
        lines = _lines(path, file.read())
    if len(lines) < 2 or not isinstance(lines[0], journal_schema.SupervisorLine):
        return None
    messages = [
        journal_schema.as_message(entry)
        for entry in lines[1:]
        if not isinstance(entry, journal_schema.SupervisorLine)
    ]
    return Left(lines[0].pid, None, messages)


def _lines(path: Path, data: bytes) -> list[journal_schema.Line]:
    try:
        return [journal_schema.read(line) for line in data.split(b"\n")[:-1]]
    except ValueError as error:
        _log.warning("the journal %s is damaged (%s); its jobs are run again", path, error)
        return []


def _wait_for(descriptor: int) -> None:
    """Wait until the lock of a journal is free, at most for some seconds."""
    waiting = threading.Thread(target=flock, args=(descriptor, LOCK_SH), daemon=True)
    waiting.start()
    waiting.join(STARTS_AND_ENDS)
