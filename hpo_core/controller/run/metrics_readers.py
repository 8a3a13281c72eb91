"""Reports that a plugin reads from what jobs leave behind, as a backend's own.

`ReadingBackend` stands before the backend of a study whose job has a ``metrics_reader``. It reads
what running jobs have left whenever the backend has something to say, and a job's last reports
before its end. Nothing polls: while no job says anything, nothing is read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import msgspec

from hpo_core import client
from hpo_core.contracts.backend import Backend, Finished, JobEvent, Outcome, Reported
from hpo_core.contracts.reader import MetricsReader
from hpo_core.model.job import Job

_log = logging.getLogger("hpo_core")


class ReadingBackend:
    """A backend whose jobs' reports come from readers.

    Args:
        make: Makes the reader of a job.
        deliver: Where events go that the backend delivers itself; see `BackendContext.deliver`.
    """

    def __init__(
        self, make: Callable[[Job], MetricsReader], deliver: Callable[[JobEvent], None]
    ) -> None:
        self._make = make
        self._deliver = deliver
        self._jobs: dict[str, _JobReader] = {}
        self._backend: Backend

    def on(self, backend: Backend) -> Backend:
        """Stand before a backend, which was built with `deliver`."""
        self._backend = backend
        return self

    def deliver(self, event: JobEvent) -> None:
        """Deliver an event, and before it the reports that were read."""
        for each in self._with_reports(event):
            self._deliver(each)

    def submit(self, job: Job) -> None:
        self._jobs[job.id] = _JobReader(job.id, self._make, job)
        self._backend.submit(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        self._backend.cancel(job_id, grace=grace)

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        events = self._backend.events(timeout)
        found = [each for event in events for each in self._with_reports(event)]
        if events:
            for reader in self._jobs.values():
                found += reader.reports(events[-1].time)
        return found

    def wake(self) -> None:
        self._backend.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        alive = self._backend.adopt([msgspec.structs.replace(job, reports=0) for job in jobs])
        for job in jobs:
            if job.id in alive:
                self._jobs[job.id] = _JobReader(job.id, self._make, job, skipped=job.reports)
        return alive

    def close(self) -> None:
        self._backend.close()

    def _with_reports(self, event: JobEvent) -> Iterator[JobEvent]:
        reader = self._jobs.get(event.job_id)
        if reader is None:
            yield event
        elif isinstance(event, Reported):
            reader.warn_of_report()
        elif isinstance(event, Finished):
            del self._jobs[event.job_id]
            yield from reader.reports(event.time)
            yield reader.verdict(event)
        else:
            yield event


class _JobReader:
    """Reads one job's reports; what goes wrong makes the job fail when it ends."""

    def __init__(
        self, job_id: str, make: Callable[[Job], MetricsReader], job: Job, skipped: int = 0
    ) -> None:
        self._job_id = job_id
        self._skipped = skipped
        self._fault = ""
        self._has_warned = False
        self._reader: MetricsReader | None = None
        try:
            self._reader = make(job)
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            self._fault = _said(error)

    def reports(self, time: float) -> list[Reported]:
        """Return what is new."""
        if self._fault or self._reader is None:
            return []
        try:
            found = [
                Reported(self._job_id, time, _iteration(iteration), client.numbers(metrics))
                for iteration, metrics in self._reader.read()
            ]
        except Exception as error:  # noqa: BLE001  # as above
            self._fault = _said(error)
            return []
        new = found[self._skipped :]
        self._skipped = max(self._skipped - len(found), 0)
        return new

    def verdict(self, event: Finished) -> Finished:
        """Return how the job has ended: it has failed if its reports could not be read."""
        if not self._fault or event.outcome is not Outcome.COMPLETED:
            return event
        reason = f"its metrics could not be read: {self._fault}"
        return msgspec.structs.replace(event, outcome=Outcome.FAILED, reason=reason)

    def warn_of_report(self) -> None:
        """Say once that the job reports to no purpose."""
        if not self._has_warned:
            self._has_warned = True
            _log.warning(
                "job %s reports by itself, which is ignored, since job.metrics_reader reads its "
                "metrics: leave one of the two out",
                self._job_id,
            )


def _iteration(given: object) -> int | None:
    if given is None or (type(given) is int and 0 <= given < client.ENDLESS):
        return given
    raise TypeError(f"the iteration {given!r} is no whole number from 0 on")


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
