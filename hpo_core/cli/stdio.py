"""Tolerate standard streams that are closed or cannot be written to.

A study is worth more than its output, so printing does not raise. If standard output could not be
written, the command reports that at its end.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast


class Forgiving:
    """A stream that stores its first error instead of raising it, and drops all later output.

    Attributes:
        error: The first error, or None.
    """

    def __init__(self, stream: IO[Any]) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, if possible."""
        if self.error is None:
            with self._forgiven():
                self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        """Flush, if possible."""
        if self.error is None:
            with self._forgiven():
                self._stream.flush()

    @property
    def buffer(self) -> Forgiving:
        """The binary stream of a text stream."""
        self.flush()
        below = Forgiving(cast(Any, self._stream).buffer)
        below._keep = self._keep  # type: ignore[method-assign]
        return below

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _forgiven(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._keep(error)

    def _keep(self, error: OSError) -> None:
        self.error = error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())  # buffered data must not fail at exit
        os.close(nowhere)


@contextmanager
def forgiving() -> Iterator[Forgiving]:
    """A context manager that wraps the standard streams; returns the one for output."""
    _open_closed()
    before = sys.stdout, sys.stderr
    output, errors = Forgiving(sys.stdout), Forgiving(sys.stderr)
    sys.stdout, sys.stderr = cast(Any, output), cast(Any, errors)
    try:
        yield output
    finally:
        output.flush()
        errors.flush()
        sys.stdout, sys.stderr = before


def unwritten(output: Forgiving) -> str:
    """Return why output could not be written; ``""`` if the reader closed the pipe."""
    if output.error is None or output.error.errno == errno.EPIPE:
        return ""
    return f"cannot write to standard output: {output.error.strerror}"


def _open_closed() -> None:
    """Open the standard streams that are closed, so that no other file gets their descriptors."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
            os.set_inheritable(nowhere, True)  # as expected of standard streams
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # open until exit
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
