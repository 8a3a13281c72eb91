"""What a function prints in the controller's own process goes to its job's log.

Python's own streams are replaced, for the thread of the job alone: the controller's other threads,
and observers while a report is handled, print where they always do. A program that the function
starts, and a library that is no Python, print to the terminal.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

from hpo_core.backends import logs


class Log:
    """A job's log, made when something is printed.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._thread = threading.get_ident()
        self._is_aside = False

    @property
    def is_heard(self) -> bool:
        """Whether what is printed now, by this thread, is the job's."""
        return not self._is_aside and threading.get_ident() == self._thread

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let what is printed meanwhile go where it always does."""
        self._is_aside = True
        try:
            yield
        finally:
            self._is_aside = False

    def write(self, text: str) -> None:
        """Add a text."""
        if self._file is None:
            self._file = logs.create(self._path)
        left = text.encode(errors="backslashreplace")
        while left:
            left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._is_aside = True


class _Stream:
    """Stands in the place of a stream: what the job prints goes to its log."""

    def __init__(self, stream: TextIO, log: Log) -> None:
        self._stream = stream
        self._log = log

    def write(self, text: str) -> int:
        if not self._log.is_heard:
            return self._stream.write(text)
        self._log.write(text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        return not self._log.is_heard and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def printed_to(path: str) -> Iterator[Log]:
    """Let what this thread prints go to a job's log."""
    log = Log(path)
    out: Any = _Stream(sys.stdout, log)
    errors: Any = _Stream(sys.stderr, log)
    try:
        with redirect_stdout(out), redirect_stderr(errors):
            yield log
    finally:
        log.close()
