"""The file that takes what a job prints: made when needed, removed if nothing was printed.

Worker processes import this too: the standard library and `hpo_core.client` alone.
"""

from __future__ import annotations

import contextlib
import os

from hpo_core.client import make_folder


def create(path: str) -> int:
    """Open a file to append to, made with its folders if need be; return its descriptor.

    It is its user's alone, and no link to another file is followed.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folder(os.path.dirname(path))
        return os.open(path, flags, 0o600)


def write_to(path: str) -> None:
    """Send this process's standard output and error to a file; with no path they stay."""
    if path:
        file = create(path)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


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
