"""Split a stream of bytes into lines."""

from __future__ import annotations


class Lines:
    """The lines of one stream.

    Attributes:
        pending: Number of bytes of the incomplete last line.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.pending = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; return the completed lines, without line ends."""
        first, *more = data.split(b"\n")
        self._pieces.append(first)
        self.pending += len(first)
        if not more:
            return []
        lines = [b"".join(self._pieces), *more[:-1]]
        self._pieces, self.pending = [more[-1]], len(more[-1])
        return lines

    def rest(self) -> bytes:
        """Return the unterminated last line."""
        rest = b"".join(self._pieces)
        self._pieces, self.pending = [], 0
        return rest
