"""The journal that a supervisor writes for the next controller of its study.

Each supervisor has a file in the study's folder, which it keeps locked while it is alive. The next
controller connects to the socket of a live supervisor, and reads the file of one that has ended. A
line is a JSON list; the first names the process and its socket, and for each job that ended while
there was no controller follow

    ["job", id, pid, bytes, reports, started, place]   how much of its output had been recorded
    ["data", id, time, text]                    the output after that, bytes as Latin-1
    ["ended", id, time, ran, status, cause]     as the supervisor tells it to a controller

Times are seconds since the epoch.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from typing import Any


def create(folder: str) -> tuple[int, str]:
    """Create a locked journal for a supervisor to be started.

    Args:
        folder: The folder of journals.

    Returns:
        The descriptor of the file, which the supervisor inherits, and its path.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, mode=0o700)
    descriptor, path = tempfile.mkstemp(dir=folder)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor, path


def is_locked(descriptor: int) -> bool:
    """Return whether the supervisor of a journal is alive."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def remove(path: str) -> None:
    """Remove a journal that is no longer needed; its folder may already be gone."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


class Journal:
    """The journal of a supervisor, for writing.

    Args:
        descriptor: The descriptor of the file.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._begins_at = 0

    def begin(self, message: list[Any]) -> None:
        """Write the first line, which names the supervisor."""
        self.write(message)
        self._begins_at = os.lseek(self._descriptor, 0, os.SEEK_CUR)

    def clear(self) -> None:
        """Remove all lines except the first one."""
        os.ftruncate(self._descriptor, self._begins_at)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def write(self, *messages: list[Any]) -> None:
        """Write messages."""
        data = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
        while data:
            data = data[os.write(self._descriptor, data) :]
