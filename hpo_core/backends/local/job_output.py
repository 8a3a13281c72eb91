"""Convert the output and the exit status of a job to reports and a verdict."""

from __future__ import annotations

import abc
import signal
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from hpo_core.backends.local.messages import (
    Ended,
    Malformed,
    Said,
    parse_message,
    parse_report,
    too_long,
)
from hpo_core.backends.logs import last_lines
from hpo_core.backends.supervisor.lines import Lines
from hpo_core.backends.supervisor.worker import LINE_CLOSED
from hpo_core.client import LONGEST
from hpo_core.contracts.backend import Outcome
from hpo_core.model.failure import FailureCause, cause_of_exit
from hpo_core.model.job import Job, ran_too_long, silent_too_long

Report: TypeAlias = tuple[int | None, Mapping[str, float]]
"""An iteration and metrics."""

_SHOWN = 200
"""Maximum number of characters shown of a process's last line of output."""

_HARMED_ITSELF = (
    "the job killed its parent, the process that had started it; a job must signal only "
    "processes that it has started itself"
)
_CLOSED = (
    "the function closed its worker's connection to hpo-core; close only those file descriptors "
    "that it has opened itself"
)


class Verdict(msgspec.Struct, frozen=True):
    """The end of a job.

    Attributes:
        outcome: The outcome.
        reason: A human-readable reason.
        metrics: The metrics that its function returned.
        cause: The cause of a failure, if the exit status tells it.
    """

    outcome: Outcome
    reason: str = ""
    metrics: Mapping[str, float] | None = None
    cause: FailureCause | None = None


class OutputParser(abc.ABC):
    """Parses the output of a job.

    Args:
        job: The job.

    Attributes:
        cancelled: Whether the study has asked for its end; later malformed lines are no fault.
        fault: The fault of its first malformed line, after which the output is ignored.
        reports: Number of its reports.
        known: Number of its first reports that are already known.
    """

    grace_for_faults = 0.0
    """Grace period in seconds after a malformed line."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.cancelled = False
        self.fault = ""
        self.reports = 0
        self.known = 0
        self._lines = Lines()
        self._count = 0

    def skip(self, count: int, reports: int) -> None:
        """Skip the bytes and reports of an earlier session."""
        self._count, self.reports, self.known = count, reports, self.job.reports

    @property
    def count(self) -> int:
        """Number of bytes of complete lines."""
        return self._count - self._lines.pending

    def feed(self, data: bytes) -> Iterator[Report]:
        """Add bytes, and yield the complete reports that are not yet known."""
        self._count += len(data)
        for line in self._lines.feed(data):
            yield from self._read(line)
        if self._lines.pending > LONGEST:
            self._blame(too_long(self._lines.rest()))

    def rest(self) -> Iterator[Report]:
        """Yield the report of an unterminated last line."""
        yield from self._read(self._lines.rest())

    def verdict(self, status: int | None, cause: str) -> Verdict:
        """Return how the job ended.

        Args:
            status: The exit status of its process, negative for a signal; None if the process keeps
                running.
            cause: What ended it; see `hpo_core.backends.supervisor.supervised_job.Cause`.
        """
        job = self.job
        if cause == "time_limit":
            return Verdict(Outcome.TIMED_OUT, ran_too_long(job.time_limit or 0.0))
        if cause == "silence_limit":
            return Verdict(Outcome.SILENT, silent_too_long(job.silence_limit or 0.0))
        if self.fault:
            return Verdict(Outcome.FAILED, self.fault)
        if cause == "cancelled":
            return Verdict(Outcome.CANCELLED)
        if cause == "parent":
            return Verdict(Outcome.FAILED, _HARMED_ITSELF)
        return self._by_itself(status, cause)

    def _read(self, line: bytes) -> Iterator[Report]:
        if self.fault or not line.strip():
            return
        try:
            report = self._parse(line)
        except Malformed as error:
            self._blame(error)
        else:
            if report is not None:
                self.reports += 1
                if self.reports > self.known:
                    yield report

    def _blame(self, error: Malformed) -> None:
        if not self.fault and not self.cancelled:
            self.fault = str(error)

    @abc.abstractmethod
    def _parse(self, line: bytes) -> Report | None:
        """Return the report in a line, or None.

        Raises:
            Malformed: If the line is malformed.
        """

    @abc.abstractmethod
    def _by_itself(self, status: int | None, cause: str) -> Verdict:
        """Return how the job ended, if neither the study nor a limit ended it."""


class CommandOutput(OutputParser):
    """The output of a command: one report per line."""

    grace_for_faults = 5.0

    def _parse(self, line: bytes) -> Report:
        return parse_report(line)

    def _by_itself(self, status: int | None, cause: str) -> Verdict:
        if status == 0:
            return Verdict(Outcome.COMPLETED)
        return _failed(status or 0, self.job.log)


class FunctionOutput(OutputParser):
    """The messages of a worker about its job: reports, and the result of the function."""

    _end: Ended | None = None

    def _parse(self, line: bytes) -> Report | None:
        match parse_message(line):
            case Said(iteration, metrics):
                return iteration, metrics
            case Ended() as end:
                self._end = end
        return None

    def _by_itself(self, status: int | None, cause: str) -> Verdict:
        if self._end is not None:
            end = self._end
            return Verdict(Outcome(end.outcome), end.reason, end.metrics)
        if cause == "closed" or status == LINE_CLOSED:
            return Verdict(Outcome.FAILED, _CLOSED)
        doing = "as it loaded the function" if cause == "not_loaded" else "in the job"
        before = f"the worker process ended {doing}: "
        return _failed(status or 0, self.job.log, before)


def _failed(status: int, log: str, before: str = "") -> Verdict:
    """Return the verdict on a process that ended badly; see `ended_badly`."""
    reason = ended_badly(status, log, before)
    cause = cause_of_exit(status, reason.rpartition("\n")[2])
    return Verdict(Outcome.FAILED, reason, cause=cause)


def ended_badly(status: int, log: str, before: str = "") -> str:
    """Return the reason for the end of a process, with the end of its log.

    The last line, which usually has the cause, is repeated in the first line, which tables show.

    Args:
        status: Its exit status; negative for a signal.
        log: The path of its log, or ``""``.
        before: A prefix for an exit status.
    """
    said = last_lines(log) if log else ""
    how = how_it_ended(status)
    if status >= 0:
        last = said.rpartition("\n")[2].strip()
        how = f"{before}{how}" + (f": {last[:_SHOWN]}" if last else "")
    return f"{how}\n{said}" if said else how


def how_it_ended(status: int) -> str:
    """Format an exit status: ``exit status 3``, ``killed by SIGSEGV``."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"killed by {name}{_BY_WHOM.get(-status, '')}"


_BY_WHOM: Mapping[int, str] = {
    signal.SIGKILL: ", and not by hpo-core: the system does that when memory runs out",
    signal.SIGXCPU: ": its limit of processor time is reached (ulimit -t)",
    signal.SIGXFSZ: ": its limit of a file's size is reached (ulimit -f)",
}
