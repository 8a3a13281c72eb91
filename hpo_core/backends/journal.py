"""What a process writes down whose controller has died, for the next one.

A worker, or a keeper of commands, goes on with the jobs that it has. It gets a file from its
controller when it is started, which it holds locked until it writes into it: who waits for the
lock knows that everything is there, or that the process is gone. A line is a JSON list, a time in
seconds since the epoch and then:

    "process", pid                       who writes
    "job", id, pid, told, mark           a job that it has: the process that leads its group, how
                                         many of its reports were recorded before what follows, and
                                         a variable that its processes have, as name=value
    "report", id, iteration, metrics     a function's report
    "data", id, text                     what a command wrote, bytes as Latin-1
    "finished", id, outcome, reason, metrics     a function's end
    "exited", id, status                 a command's end

Worker processes import this: the standard library alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from typing import Any

BELL = "bell"
"""The named pipe in the journals' folder by which the next controller hears of a new line."""


def create(folder: str) -> tuple[int, str]:
    """Make a journal, locked, for a process that is about to be started.

    Args:
        folder: The folder of journals.

    Returns:
        The file's descriptor, which the process is to inherit, and its path.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, mode=0o700)
    descriptor, path = tempfile.mkstemp(dir=folder)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor, path


def remove(path: str) -> None:
    """Remove a journal that nobody needs; its folder may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


class Journal:
    """A journal, as its process writes it.

    Args:
        descriptor: The file's descriptor.
        folder: The folder of journals.

    Attributes:
        size: How many bytes are written.
    """

    def __init__(self, descriptor: int, folder: str) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._bell = os.path.join(folder, BELL)
        self.size = 0

    def begin(self, *messages: list[Any]) -> None:
        """Write what there is at first, and let go of the lock."""
        for message in (["process", os.getpid()], *messages):
            self._write(message)
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._ring()

    def add(self, message: list[Any]) -> None:
        """Write a line more."""
        self._write(message)
        self._ring()

    def _write(self, message: list[Any]) -> None:
        data = json.dumps([time.time(), *message]).encode() + b"\n"
        self.size += len(data)
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _ring(self) -> None:
        """Wake the next controller, if it listens already."""
        with contextlib.suppress(OSError):  # there is none, or it has been rung often enough
            bell = os.open(self._bell, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(bell, b"\n")
            finally:
                os.close(bell)
