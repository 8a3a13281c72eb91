"""Retries in a study's log: which reports they have replaced, and which attempt a report is of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

RETRY = "retry"
"""The kind of the log's row where a trial's job has failed and is run again."""

KEPT = "kept"
"""The decision in such a row where the strategy could not forget what it had been told."""


class Retries:
    """The retries of a study.

    Args:
        rows: For each row of the log that is of a trial which was retried, in their order: its
            number, its kind, the trial, and the decision.

    Attributes:
        places: The numbers of the retries' own rows, which are no events for a strategy.
        replaced: For each report that a retry has replaced the number of that retry's row.
    """

    def __init__(self, rows: Iterable[tuple[int, str, int, str | None]]) -> None:
        self.places: list[int] = []
        self.replaced: dict[int, int] = {}
        self._attempts: dict[int, int] = {}
        attempt: dict[int, int] = {}
        told: dict[int, list[int]] = {}  # since the trial was last asked for, or retried
        for seq, kind, trial, decision in rows:
            if kind == RETRY:
                self.places.append(seq)
                attempt[trial] = attempt.get(trial, 1) + 1
                if decision != KEPT:
                    self.replaced.update(dict.fromkeys(told.pop(trial, ()), seq))
            elif kind == "resume":
                attempt[trial] = 1
                told[trial] = []
            else:
                self._attempts[seq] = attempt.get(trial, 1)
                told.setdefault(trial, []).append(seq)

    @property
    def forgot(self) -> set[int]:
        """The numbers of those retries that have replaced what the strategy was told."""
        return set(self.replaced.values())

    def attempt(self, seq: int) -> int:
        """Return which attempt a report is of, counted from 1 each time the trial is asked for."""
        return self._attempts.get(seq, 1)

    def events(self, end: int, *, with_replaced: bool) -> Sequence[int]:
        """Return the numbers of the events that a strategy knows of.

        Args:
            end: How many rows of the log there are, or are looked at.
            with_replaced: Whether those belong to it that a retry has replaced.
        """
        if not self.places:
            return range(end)
        left_out = set(self.places)
        if not with_replaced:
            left_out |= {seq for seq, by in self.replaced.items() if by < end}
        return [seq for seq in range(end) if seq not in left_out]
