"""The numbers of workers, by which jobs that run at once choose ports and folders of their own."""

from __future__ import annotations

import itertools


class WorkerNumbers:
    """Numbers from 0. No two holders have the same one at a time."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def take(self, holder: str) -> int:
        """Return the number of a holder: the lowest free one, if it has none yet."""
        if holder not in self._held:
            held = set(self._held.values())
            self._held[holder] = next(each for each in itertools.count() if each not in held)
        return self._held[holder]

    def hold(self, holder: str, number: int) -> None:
        """Register the number that a holder has from an earlier controller."""
        self._held[holder] = number

    def give_back(self, holder: str) -> None:
        """Register that a holder is gone."""
        self._held.pop(holder, None)
