"""The output of a job, line by line, as a terminal would show it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress

LONGEST_LINE = 1 << 16
"""Maximum number of bytes in a line; longer lines are split, since patterns are slow on them."""

_CHUNK = 1 << 20
"""Maximum number of bytes to read at once."""

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]|[\b\0]")
"""Escape sequences, which move the cursor or set a colour."""


class PrintedLines:
    """Follows an output file while it grows.

    A carriage return also ends a line, so each state of a progress bar is a line. Escape sequences
    are removed.

    Args:
        path: The file, which need not exist yet.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._position = 0
        self._rest = b""

    def new(self) -> Iterator[str]:
        """Yield the lines that were completed since the last call."""
        with suppress(FileNotFoundError), open(self._path, "rb", buffering=0) as file:
            left = os.fstat(file.fileno()).st_size - self._position
            file.seek(self._position)
            while left > 0 and (data := file.read(min(left, _CHUNK))):
                left -= len(data)
                self._position += len(data)
                *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
                for line in lines:
                    yield from _pieces(line)
                whole = len(self._rest) // LONGEST_LINE * LONGEST_LINE
                yield from _pieces(self._rest[:whole])
                self._rest = self._rest[whole:]

    def rest(self) -> Iterator[str]:
        """Yield the text after the last line end, when the output is complete."""
        rest, self._rest = self._rest, b""
        yield from _pieces(rest)


def plain(text: str) -> str:
    """Return a text without escape sequences."""
    return _CONTROL.sub("", text)


def _pieces(line: bytes) -> Iterator[str]:
    """Yield a line, or the pieces of a too long one; they do not depend on the reads."""
    for start in range(0, len(line), LONGEST_LINE):
        text = line[start : start + LONGEST_LINE].decode(errors="replace")
        yield plain(text) if "\x1b" in text or "\b" in text or "\0" in text else text
