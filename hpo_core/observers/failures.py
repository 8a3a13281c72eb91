"""Failures of one kind, counted: a thousand jobs that fail alike are one line, not a thousand."""

from __future__ import annotations

import re

from hpo_core.contracts.observer import FinishedJob
from hpo_core.model.text import counted, first_line, printable

_VARIES = re.compile(r"(exit status \d+)|0x[0-9a-fA-F]+|\d+(?:[.,:]\d+)*(?:e[+-]?\d+)?")
"""What differs between failures of one kind: numbers. An exit status is the kind itself."""


class Failures:
    """The failures that have been seen, by kind; the kind that was seen last comes last."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[int, FinishedJob]] = {}

    def add(self, finished: FinishedJob) -> None:
        """Count a failed job."""
        kind = _VARIES.sub(lambda found: found[1] or "#", first_line(finished.reason))
        count, _ = self._kinds.pop(kind, (0, finished))
        self._kinds[kind] = (count + 1, finished)

    def lines(self, most: int) -> list[str]:
        """Return a line for each of the latest kinds, and one for all the others.

        Args:
            most: How many kinds get their own line.
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
