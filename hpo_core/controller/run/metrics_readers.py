"""Reports read from the output or files of jobs, merged into the events of a backend.

`ReadingBackend` wraps the backend of a study whose job has a ``metrics_reader``. It reads the
output of running jobs whenever the backend returns events, and the last reports of a job before its
end. It does not poll: without events, nothing is read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from hpo_core import client
from hpo_core.backends.logs import last_lines
from hpo_core.contracts.backend import (
    Backend,
    Clock,
    Finished,
    JobEvent,
    Outcome,
    Reported,
)
from hpo_core.contracts.reader import MetricsReader, ReadReport
from hpo_core.model.job import Job
from hpo_core.readers.watch import Watch

_log = logging.getLogger("hpo_core")

_GRACE = 5.0
"""Grace period in seconds of a job whose metrics cannot be read."""

_BEHIND = 0.5
"""Age in seconds above which an event suggests that more past events are pending."""

_LONG, _SEVERAL = 5.0, 3
"""Run time in seconds and number of reports from which a job should report before its end."""

Make = Callable[..., MetricsReader]
"""Builds the reader of a job. ``is_adopted`` is true if an earlier controller has started it."""


class ReadingBackend:
    """A backend whose reports come from readers.

    Args:
        make: Builds the reader of a job.
        deliver: Receives the events that the backend delivers itself; see `BackendContext.deliver`.
        clock: The time.
        can_stop: Whether the strategy may stop a job after one of its reports.
    """

    def __init__(
        self,
        make: Make,
        deliver: Callable[[JobEvent], None],
        clock: Clock,
        *,
        can_stop: bool = False,
    ) -> None:
        self._make = make
        self._warns_of_late = can_stop
        self._deliver = deliver
        self._clock = clock
        self._jobs: dict[str, _JobReader] = {}
        self._backend: Backend
        self._watch: Watch | None = None

    def on(self, backend: Backend) -> Backend:
        """Wrap a backend that was built with `deliver`."""
        self._backend = backend
        return self

    def deliver(self, event: JobEvent) -> None:
        """Deliver the reports that were read, then the event."""
        for each in self._with_reports(event):
            self._deliver(each)

    def submit(self, job: Job) -> None:
        self._jobs[job.id] = _JobReader(job, self._make, is_adopted=False)
        self._jobs[job.id].began = self._clock.now()
        self._follow(job.id)
        self._backend.submit(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        if job_id in self._jobs:
            self._jobs[job_id].is_cancelled = True
        self._backend.cancel(job_id, grace=grace)

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        events = self._backend.events(timeout)
        found = [each for event in events for each in self._with_reports(event)]
        now = self._clock.now()
        if events and now - events[-1].time > _BEHIND:
            return found  # first all past events
        for job_id, reader in self._jobs.items():
            self._follow(job_id)
            found += reader.reports(now)
            if reader.is_to_end:
                self._backend.cancel(job_id, grace=_GRACE)
        return found

    def wake(self) -> None:
        self._backend.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        alive = self._backend.adopt([msgspec.structs.replace(job, reports=0) for job in jobs])
        for job in jobs:
            if job.id in alive:
                self._jobs[job.id] = _JobReader(job, self._make, is_adopted=True)
                self._follow(job.id)
        return alive

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._backend.close()

    def _follow(self, job_id: str) -> None:
        """Wake up when the files that a job's reader reads have changed."""
        if watched := self._jobs[job_id].watched:
            if self._watch is None:
                self._watch = Watch(self._backend.wake)
            self._watch.follow(job_id, watched)

    def _with_reports(self, event: JobEvent) -> Iterator[JobEvent]:
        reader = self._jobs.get(event.job_id)
        if reader is None:
            yield event
        elif isinstance(event, Reported):
            reader.warn_of_report()
        elif isinstance(event, Finished):
            del self._jobs[event.job_id]
            if self._watch is not None:
                self._watch.leave(event.job_id)
            last = reader.last_reports(event.time)
            yield from last
            if self._warns_of_late and event.outcome is Outcome.COMPLETED:
                self._warns_of_late = not reader.warn_if_late(last, event.time)
            yield reader.verdict(event)
        else:
            yield event


class _JobReader:
    """Reads the reports of a job. An error makes the job fail when it ends."""

    def __init__(self, job: Job, make: Make, *, is_adopted: bool) -> None:
        self._job = job
        self._skipped = job.reports if is_adopted else 0
        self._fault = ""
        self._is_told = self._has_warned = False
        self._count = 0  # of reports
        self.is_cancelled = False
        self.began: float | None = None  # None for an adopted job
        self._reader: MetricsReader | None = None
        try:
            self._reader = make(job, is_adopted=is_adopted)
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            self._fault = _said(error)

    @property
    def watched(self) -> Sequence[str]:
        """The files to watch."""
        watched: Sequence[str] = () if self._fault else getattr(self._reader, "watched", ())
        return watched

    @property
    def is_to_end(self) -> bool:
        """Whether to end the job because its reports cannot be read; true only once."""
        is_new, self._is_told = bool(self._fault) and not self._is_told, bool(self._fault)
        return is_new and not self.is_cancelled

    def reports(self, time: float) -> list[Reported]:
        """Return the new reports."""
        return self._new(time, "read")

    def last_reports(self, time: float) -> list[Reported]:
        """Return the remaining reports of a job that has ended."""
        return [*self._new(time, "read"), *self._new(time, "finish")]

    def verdict(self, event: Finished) -> Finished:
        """Return the end of the job, as failed if its reports are incomplete or could not be
        read.
        """
        if event.outcome in (Outcome.FAILED, Outcome.LOST) or self.is_cancelled:
            return event
        reason = f"its metrics could not be read: {self._fault}" if self._fault else ""
        if event.outcome in (Outcome.COMPLETED, Outcome.CANCELLED):
            reason = reason or (self._missing() if event.outcome is Outcome.COMPLETED else "")
            if reason:
                event = msgspec.structs.replace(event, outcome=Outcome.FAILED, reason=reason)
        elif not self._count and (reason := reason or self._missing()):
            event = msgspec.structs.replace(event, reason=f"{event.reason}; {reason}")
        return event

    def warn_of_report(self) -> None:
        """Warn once that the job's own reports are ignored."""
        if not self._has_warned:
            self._has_warned = True
            _log.warning(
                "job %s reports by itself, which is ignored, since the study reads its metrics "
                "(job.metrics, metrics_file or metrics_reader): leave one of the two out",
                self._job.id,
            )

    def warn_if_late(self, last: Sequence[Reported], time: float) -> bool:
        """Warn if all reports of a job were read only when it had ended; return whether they were.

        Args:
            last: The reports that were read after its end.
            time: When it ended.
        """
        is_long = self.began is not None and time - self.began >= _LONG
        is_late = is_long and len(last) >= _SEVERAL and len(last) == self._count
        if is_late:
            _log.warning(
                "all %d reports of job %s were read only when it had ended, since the program "
                "keeps what it writes in memory; so the strategy can stop no job early: have it "
                "flush what it writes, or see 'When it is read' in docs/configuration.md",
                len(last),
                self._job.id,
            )
        return is_late

    def _new(self, time: float, method: str) -> list[Reported]:
        read: Callable[[], Sequence[ReadReport]] | None = getattr(self._reader, method, None)
        if self._fault or read is None:
            return []
        try:
            found = [
                Reported(self._job.id, time, _iteration(iteration), client.numbers(metrics))
                for iteration, metrics in read()
            ]
        except Exception as error:  # noqa: BLE001  # as above
            self._fault = _said(error)
            return []
        self._count += len(found)
        new = found[self._skipped :]
        self._skipped = max(self._skipped - len(found), 0)
        return new

    def _missing(self) -> str:
        """Return what was not found, and the end of the job's output."""
        missing: Any = getattr(self._reader, "missing", str)
        try:
            said = str(missing())
        except Exception as error:  # noqa: BLE001  # as above
            return _said(error)
        if not said:
            return ""
        printed = last_lines(self._job.log) if self._job.log else ""
        return (
            f"{said}; the end of its output:\n{printed}"
            if printed
            else f"{said}; it printed nothing"
        )


def _iteration(given: object) -> int | None:
    if given is None or (type(given) is int and 0 <= given < client.ENDLESS):
        return given
    raise TypeError(f"the iteration {given!r} must be an integer, 0 or more")


def _said(error: Exception) -> str:
    said = " ".join(str(error).split())
    return said if type(error) is ValueError else f"{type(error).__name__}: {said}"
