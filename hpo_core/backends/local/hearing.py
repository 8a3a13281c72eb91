"""What a job says, and how it ended: bytes and a status in, reports and a verdict out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpo_core.backends.local.lines import Lines, Malformed, parse_report, too_long
from hpo_core.backends.local.processes import how_it_ended
from hpo_core.backends.logs import last_lines
from hpo_core.client import LONGEST
from hpo_core.contracts.backend import Outcome

_SHOWN = 200
"""The most characters of its last line that stand beside how a process ended."""


def ended_badly(status: int, log: str, before: str = "") -> str:
    """Return how a process ended, and the end of its log.

    The last line, which mostly says why, stands on the first one, which is shown in tables.

    Args:
        status: Its exit status; negative for a signal.
        log: The path of its log, or ``""``.
        before: What else to say of an exit status.
    """
    said = last_lines(log) if log else ""
    how = how_it_ended(status)
    if status >= 0:
        last = said.rpartition("\n")[2].strip()
        how = f"{before}{how}" + (f": {last[:_SHOWN]}" if last else "")
    return f"{how}\n{said}" if said else how


class Hearing:
    """Hears one command.

    Args:
        known: How many of its first reports are known already.

    Attributes:
        cancelled: Whether it was ended for the study's sake; then nothing more is its fault.
        fault: What is wrong with the first malformed line; after it nothing counts.
        reports: How many reports it has made.
    """

    def __init__(self, known: int = 0) -> None:
        self.cancelled = False
        self.fault = ""
        self.reports = 0
        self._known = known
        self._lines = Lines()
        self._count = 0

    @property
    def count(self) -> int:
        """How many bytes it has said, those of a line aside that is not complete."""
        return self._count - self._lines.pending

    def counts(self) -> bool:
        """Take note of one more report, of a function; return whether it was not known."""
        self.reports += 1
        return self.reports > self._known

    def feed(self, data: bytes) -> Iterator[tuple[int | None, Mapping[str, float]]]:
        """Take bytes in, and yield the reports that they complete and that are not known."""
        self._count += len(data)
        for line in self._lines.feed(data):
            yield from self._take(line)
        if self._lines.pending > LONGEST:
            self._blame(too_long(self._lines.rest()))

    def rest(self) -> Iterator[tuple[int | None, Mapping[str, float]]]:
        """Yield what the last line holds, if it had no end."""
        yield from self._take(self._lines.rest())

    def verdict(self, status: int, log: str) -> tuple[Outcome, str]:
        """Return how it ended, and why.

        Args:
            status: Its exit status; negative for a signal.
            log: The path of its log, or ``""``.
        """
        if self.cancelled:
            return Outcome.CANCELLED, ""
        if self.fault:
            return Outcome.FAILED, self.fault
        if status == 0:
            return Outcome.COMPLETED, ""
        return Outcome.FAILED, ended_badly(status, log)

    def _take(self, line: bytes) -> Iterator[tuple[int | None, Mapping[str, float]]]:
        if self.fault or not line.strip():
            return
        try:
            report = parse_report(line)
        except Malformed as error:
            self._blame(error)
        else:
            if self.counts():
                yield report

    def _blame(self, error: Malformed) -> None:
        if not self.fault and not self.cancelled:
            self.fault = str(error)
