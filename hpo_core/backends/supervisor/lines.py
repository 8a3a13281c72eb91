"""Cuts bytes, which arrive in pieces, into lines."""

from __future__ import annotations


class Lines:
    """The lines of one stream.

    Attributes:
        pending: How many bytes wait for the end of their line.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.pending = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; return the lines that they complete, without their ends."""
        first, *more = data.split(b"\n")
        self._pieces.append(first)
        self.pending += len(first)
        if not more:
            return []
        lines = [b"".join(self._pieces), *more[:-1]]
        self._pieces, self.pending = [more[-1]], len(more[-1])
        return lines

    def rest(self) -> bytes:
        """Return the last line, which has no end."""
        rest = b"".join(self._pieces)
        self._pieces, self.pending = [], 0
        return rest
