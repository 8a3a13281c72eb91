"""Redirect the output of a function in the controller's process to its job's log.

Python's streams are replaced only for the thread of the job: output of the controller's other
threads, and of observers while a report is handled, is not redirected. Programs that the function
starts, and libraries not written in Python, print to the terminal.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from hpo_core.backends import logs


class PrintedLog:
    """A job's log, created on the first output; a context manager that redirects this thread's.

    A class and not a generator, since each job has one.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._thread = threading.get_ident()
        self._is_aside = False

    def __enter__(self) -> PrintedLog:
        self._before = sys.stdout, sys.stderr
        out: Any = _Stream(sys.stdout, self)
        errors: Any = _Stream(sys.stderr, self)
        sys.stdout, sys.stderr = out, errors
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self._before
        self.close()

    @property
    def is_heard(self) -> bool:
        """Whether the current output of this thread belongs to the job."""
        return not self._is_aside and threading.get_ident() == self._thread

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A context manager in which output is not redirected."""
        self._is_aside = True
        try:
            yield
        finally:
            self._is_aside = False

    def write(self, text: str) -> None:
        """Append text."""
        if self._file is None:
            self._file = logs.create(self._path)
        left = text.encode(errors="backslashreplace")
        while left:
            left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """Close the file, if it was created."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._is_aside = True


class _Stream:
    """Replaces a stream: output of the job goes to its log."""

    def __init__(self, stream: TextIO, log: PrintedLog) -> None:
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
