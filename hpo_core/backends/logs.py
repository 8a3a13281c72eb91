"""The file that takes what a job prints: made when needed, removed if nothing was printed.

Worker processes import this too: the standard library alone.
"""

from __future__ import annotations

import contextlib
import os


def create(path: str) -> int:
    """Open a file to append to, made with its folders if need be; return its descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o666)


def remove_if_empty(path: str) -> None:
    """Remove a log in which nothing was written."""
    with contextlib.suppress(FileNotFoundError):
        if os.stat(path).st_size == 0:
            os.unlink(path)


def last_lines(path: str, count: int = 10) -> str:
    """Return the last lines of a log, or ``""`` if there are none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 8192, 0))
            lines = file.read().decode(errors="replace").rstrip().splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-count:])
