"""The number by which commands know their report pipe: one digit, if at all possible.

Plain ``sh`` can write to descriptors of one digit alone (``>&12`` is an error in dash), and a
process gets a descriptor under the number that it has in the controller. So the controller keeps
one low number, and lends it to one pipe after the other while a process is started.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class ReportSlot:
    """The lowest descriptor number that is free when this is made.

    Attributes:
        number: The number.
    """

    def __init__(self) -> None:
        self.number = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        self._nothing = os.dup(self.number)

    @contextmanager
    def pipe(self) -> Iterator[int]:
        """Make a pipe, whose writing end has the number within the ``with`` and no other.

        Returns:
            The reading end, which does not block. It is the caller's to close.
        """
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.dup2(writing, self.number, inheritable=False)
        os.close(writing)
        try:
            yield reading
        finally:
            os.dup2(self._nothing, self.number, inheritable=False)

    def close(self) -> None:
        """Give the number up."""
        os.close(self.number)
        os.close(self._nothing)
