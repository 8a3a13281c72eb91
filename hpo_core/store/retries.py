"""Retries in a study's log: the reports they have replaced, and the attempt of each report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

RETRY = "retry"
"""The kind of a log row for a failed job that is run again."""

KEPT = "kept"
"""The decision in such a row if the strategy could not discard the replaced reports."""


class Retries:
    """The retries of a study.

    Args:
        rows: The rows of the log of retried trials, in order: number, kind, trial and decision.

    Attributes:
        places: The numbers of the rows of retries, which are not events for a strategy.
        replaced: Maps each replaced report to the number of the row of the retry.
    """

    def __init__(self, rows: Iterable[tuple[int, str, int, str | None]]) -> None:
        self.places: list[int] = []
        self.replaced: dict[int, int] = {}
        self._attempts: dict[int, int] = {}
        attempt: dict[int, int] = {}
        told: dict[int, list[int]] = {}  # since the trial was last suggested or retried
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
        """The numbers of the retries after which the strategy discarded the replaced reports."""
        return set(self.replaced.values())

    def attempt(self, seq: int) -> int:
        """Return the attempt of a report, counted from 1 each time the trial is suggested."""
        return self._attempts.get(seq, 1)

    def events(self, end: int, *, with_replaced: bool) -> Sequence[int]:
        """Return the numbers of the events that a strategy knows.

        Args:
            end: Number of rows of the log to consider.
            with_replaced: Whether to include the reports that a retry has replaced.
        """
        if not self.places:
            return range(end)
        left_out = set(self.places)
        if not with_replaced:
            left_out |= {seq for seq, by in self.replaced.items() if by < end}
        return [seq for seq in range(end) if seq not in left_out]
