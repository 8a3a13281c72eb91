"""What a job has printed, line by line, as a person would read it in a terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress

LONGEST_LINE = 1 << 16
"""Bytes after which a line is read as another one: a pattern may take long on endless lines."""

_CHUNK = 1 << 20
"""The most bytes to read at once."""

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]|[\b\0]")
"""What moves a cursor or sets a colour."""


class PrintedLines:
    """Follows a file of output while it grows.

    A carriage return ends a line as well, so each state of a progress bar is a line. Colours and
    cursor movements are left out.

    Args:
        path: The file, which need not be there yet.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._position = 0
        self._rest = b""

    def new(self) -> Iterator[str]:
        """Yield the lines that are complete since the last call."""
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
        """Yield what follows the last line's end, once nothing more is printed."""
        rest, self._rest = self._rest, b""
        yield from _pieces(rest)


def plain(text: str) -> str:
    """Return a text without colours and cursor movements."""
    return _CONTROL.sub("", text)


def _pieces(line: bytes) -> Iterator[str]:
    """Yield a line, or the pieces of one that is too long: alike, however it was read."""
    for start in range(0, len(line), LONGEST_LINE):
        text = line[start : start + LONGEST_LINE].decode(errors="replace")
        yield plain(text) if "\x1b" in text or "\b" in text or "\0" in text else text
