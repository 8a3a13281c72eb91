"""Convert the output of a job to reports: one for each line that matches a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hpo_core.contracts.reader import ReadReport
from hpo_core.readers.lines import PrintedLines

_SHOWN = 120
"""Maximum number of characters of a line in a message."""


class OutputReader:
    """Reads the reports of one job.

    Args:
        log: The file with the output of the job.
        metrics: A pattern for each metric; its group is the value.
        iteration: A pattern whose group is the iteration, or None.
    """

    def __init__(self, log: str, metrics: Mapping[str, str], iteration: str | None) -> None:
        self._lines = PrintedLines(log)
        self._metrics = [(name, re.compile(pattern)) for name, pattern in metrics.items()]
        self._iteration = None if iteration is None else re.compile(iteration)
        self._last: int | None = None
        self._unmatched = {f"job.metrics.{name}": pattern for name, pattern in metrics.items()}
        if iteration is not None:
            self._unmatched["job.iteration"] = iteration
        self.watched = (log,)

    def read(self) -> Sequence[ReadReport]:
        """Return the reports of the lines that are complete."""
        return list(self._reports(self._lines.new()))

    def finish(self) -> Sequence[ReadReport]:
        """Return the report of a last line without a line end."""
        return list(self._reports(self._lines.rest()))

    def missing(self) -> str:
        """Return a message about patterns that never matched; ``""`` if all did."""
        return "; ".join(
            f"{key}: the pattern '{pattern}' matched no line of the output"
            for key, pattern in self._unmatched.items()
        )

    def _reports(self, lines: Iterable[str]) -> Iterator[ReadReport]:
        for line in lines:
            if self._iteration is not None and (found := self._iteration.search(line)):
                self._last = _iteration(found[1], line)
                self._unmatched.pop("job.iteration", None)
            metrics = {}
            for name, pattern in self._metrics:
                if found := pattern.search(line):
                    metrics[name] = _number(found[1], f"job.metrics.{name}", line)
                    self._unmatched.pop(f"job.metrics.{name}", None)
            if metrics:
                yield ReadReport(self._last, metrics)


def _number(text: str | None, key: str, line: str) -> float:
    """Convert a printed number: ``0.5``, ``1e-3``, ``nan``, ``-inf``."""
    try:
        return float(text or "")
    except ValueError:
        raise ValueError(
            f"{key}: the group of the pattern is {text or ''!r}, which is not a number, in "
            f"the line "
            f"{_shown(line)}; let the group match only a number"
        ) from None


def _iteration(text: str | None, line: str) -> int:
    try:
        number = float(text or "")
        if not (number.is_integer() and 0 <= number < 1 << 53):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"job.iteration: the group of the pattern is {text or ''!r}, which is not an "
            f"integer, 0 or more, in the line {_shown(line)}"
        ) from None
    return int(number)


def _shown(line: str) -> str:
    text = line.strip()
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
