"""Count failures of one kind: a thousand jobs that fail alike are shown as one line."""

from __future__ import annotations

import re

from hpo_core.contracts.observer import FinishedJob
from hpo_core.model.text import counted, first_line, printable

_VARIES = re.compile(r"(exit status \d+)|0x[0-9a-fA-F]+|\d+(?:[.,:]\d+)*(?:e[+-]?\d+)?")
"""Matches the numbers in which failures of one kind differ. An exit status is part of the kind."""


class Failures:
    """The failures so far by kind, with the latest kind last."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[int, FinishedJob]] = {}

    def add(self, finished: FinishedJob) -> None:
        """Count a failed job."""
        kind = _VARIES.sub(lambda found: found[1] or "#", first_line(finished.reason))
        count, _ = self._kinds.pop(kind, (0, finished))
        self._kinds[kind] = (count + 1, finished)

    def lines(self, most: int) -> list[str]:
        """Return a line for each of the latest kinds, and one line for all others.

        Args:
            most: Maximum number of kinds with their own line.
        """
        kinds = list(self._kinds.values())
        others, latest = kinds[:-most], kinds[-most:]
        lines = [_line(count, finished) for count, finished in latest]
        if others:
            jobs = counted(sum(count for count, _ in others), "job")
            lines.insert(0, f"{jobs} failed for {counted(len(others), 'other reason')}")
        return lines


def _line(count: int, finished: FinishedJob) -> str:
    name, reason = printable(finished.job.name), first_line(finished.reason)
    if count == 1:
        return f"{name} {finished.state.value}: {reason}"
    return f"{count} {finished.state.value}, the latest {name}: {reason}"
