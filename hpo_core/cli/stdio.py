"""Standard streams that are closed, full or gone: a command goes on without them.

A study is worth more than what is printed of it, so nobody who prints has to expect an error. What
could not be written to standard output is said when the command is done.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast


class Forgiving:
    """A stream whose errors are kept in place of being raised; all after one is dropped.

    Attributes:
        error: The first error, or None.
    """

    def __init__(self, stream: IO[Any]) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, if that is possible."""
        if self.error is None:
            with self._forgiven():
                self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        """Flush, if that is possible."""
        if self.error is None:
            with self._forgiven():
                self._stream.flush()

    @property
    def buffer(self) -> Forgiving:
        """The stream of bytes below a stream of text."""
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
        os.dup2(nowhere, self._stream.fileno())  # what is buffered must not fail at the exit
        os.close(nowhere)


@contextmanager
def forgiving() -> Iterator[Forgiving]:
    """Let the standard streams forgive; give the one for output."""
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
    """Return what kept output from being written; ``""`` for a reader who has seen enough."""
    if output.error is None or output.error.errno == errno.EPIPE:
        return ""
    return f"cannot write to standard output: {output.error.strerror}"


def _open_closed() -> None:
    """Open those of the three standard streams that are closed: no other file may become one."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(nowhere, True)  # as what stands there is expected to be
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # for as long as we run
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
