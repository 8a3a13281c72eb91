"""Drive a backend as the controller does, and check the order of its events.

`BackendContract` and the tests of backends use it. It checks each event: at most one Started, then
Reported, then exactly one Finished, and only for jobs that were submitted.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from hpo_core.contracts.backend import (
    Backend,
    BackendContext,
    Finished,
    JobEvent,
    Reported,
    Started,
    Work,
)
from hpo_core.model.job import Job
from hpo_core.model.resources import Resources
from hpo_core.model.values import Configuration, Value

HANGS = 60.0
"""Seconds without an event after which a test fails."""

Event = TypeVar("Event", Started, Reported, Finished)


class SteppedClock:
    """The time, which never decreases."""

    def __init__(self) -> None:
        self._latest = 0.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        self._latest = max(self._latest, time.time())
        return self._latest


class Driver:
    """A backend with its jobs, and all its events.

    Args:
        build: Builds the backend.
        folder: The folder for checkpoints and logs.
        work: The work of the jobs.
        study_uid: The uid of the study; if None, a new one.
        workers: Maximum number of jobs at a time.
        decides: Whether reports of functions wait for an answer.
        resources: What each job needs.

    Attributes:
        on_report: Called with each report, before its job may continue.
        handles: The handles of the jobs that have started.
    """

    def __init__(
        self,
        build: Callable[[BackendContext], Backend],
        folder: Path,
        work: Work,
        *,
        study_uid: str | None = None,
        workers: int = 4,
        decides: bool = False,
        resources: Resources | None = None,
    ) -> None:
        self.folder = folder
        self.study_uid = study_uid or uuid.uuid4().hex
        self.said: list[JobEvent] = []
        self.on_report: Callable[[Reported], None] = lambda report: None
        self.handles: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        self._unsure: set[str] = set()  # adopted jobs without a handle: they may not have started
        self._submitted: set[str] = set()
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._began = time.time()
        self._is_open = True
        self.backend = build(
            BackendContext(
                study="contract",
                study_uid=self.study_uid,
                work=work,
                workers=workers,
                clock=SteppedClock(),
                decides=decides,
                deliver=self._hear,
                folder=str(self.folder / "backend"),
                resources=resources,
            )
        )

    def job(self, values: Mapping[str, Value] | None = None, **fields: Any) -> Job:
        """Create a job of a new trial."""
        number = next(self._numbers)
        given = {
            "id": f"{number}.1",
            "trial_id": number,
            "name": f"job {number}",
            "configuration": Configuration(values or {}),
            "checkpoint_dir": str(self.folder / "checkpoints" / str(number)),
            "log": str(self.folder / "jobs" / f"{number}.1" / "job.log"),
        }
        return Job(**{**given, **fields})

    def submit(self, values: Mapping[str, Value] | None = None, **fields: Any) -> Job:
        """Create a job and submit it."""
        job = self.job(values, **fields)
        self._submitted.add(job.id)
        self.backend.submit(job)
        return job

    def adopt(self, jobs: list[Job]) -> list[str]:
        """Let the backend adopt jobs, and return the ids of those that continue."""
        alive = list(self.backend.adopt(jobs))
        assert set(alive) <= {job.id for job in jobs}, "adopt() names jobs that it was not given"
        self._submitted.update(alive)
        self._begun.update(alive)
        self._unsure.update(job.id for job in jobs if job.id in alive and job.handle is None)
        return alive

    def step(self, timeout: float = HANGS) -> int:
        """Call `events` once; return the number of events, including delivered ones."""
        before = len(self.said)
        for event in self.backend.events(timeout):
            self._hear(event)
        return len(self.said) - before

    def until(self, what: Callable[[JobEvent], bool]) -> JobEvent:
        """Wait for an event, unless it has arrived already."""
        seen = 0
        while True:
            for event in self.said[seen:]:
                if what(event):
                    return event
            seen = len(self.said)
            waited = time.monotonic()
            if not self.step():
                lasted = time.monotonic() - waited
                assert lasted < HANGS, f"nothing has happened for {HANGS} s; so far: {self.said}"

    def until_true(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Serve until something holds for which there is no event."""
        until = time.monotonic() + HANGS
        while not holds():
            assert time.monotonic() < until, otherwise
            self.step(timeout=0.05)

    def reported(self, job: Job) -> Reported:
        """Wait for a job's first report."""
        return self._first(Reported, job)

    def finished(self, job: Job) -> Finished:
        """Wait for the end of a job."""
        return self._first(Finished, job)

    def run(self, values: Mapping[str, Value] | None = None, **fields: Any) -> Finished:
        """Run a job to its end."""
        return self.finished(self.submit(values, **fields))

    def reports(self, job_id: str) -> list[tuple[int | None, dict[str, float]]]:
        """Return the iterations and metrics that a job has reported."""
        return [
            (event.iteration, dict(event.metrics))
            for event in self.said
            if isinstance(event, Reported) and event.job_id == job_id
        ]

    def close(self) -> None:
        """Close the backend, if it is open."""
        if self._is_open:
            self._is_open = False
            self.backend.close()

    def _first(self, kind: type[Event], job: Job) -> Event:
        found = self.until(lambda event: isinstance(event, kind) and event.job_id == job.id)
        assert isinstance(found, kind)
        return found

    def _hear(self, event: JobEvent) -> None:
        """Handle an event, and check that it is valid now."""
        job = event.job_id
        assert job in self._submitted, f"{event}: there is no such job"
        assert job not in self._ended, f"{event}: the job has finished before"
        assert self._began - 1 <= event.time <= time.time() + 1, f"{event}: not the clock's time"
        match event:
            case Started():
                is_first = job not in self._begun or job in self._unsure
                assert is_first, f"{event}: the job has started before"
                self._begun.add(job)
                self._unsure.discard(job)
                self.handles[job] = event.handle
            case Reported():
                assert job in self._begun, f"{event}: the job has not started"
            case Finished():
                self._ended.add(job)
        self.said.append(event)
        if isinstance(event, Reported):
            self.on_report(event)


def is_end_of(job_id: str) -> Callable[[JobEvent], bool]:
    """Return a predicate for the end of a job."""
    return lambda event: isinstance(event, Finished) and event.job_id == job_id


def runs(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    if pid == 0:
        return False
    try:
        if sys.platform == "linux":
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        else:
            state = subprocess.check_output(["ps", "-o", "stat=", "-p", str(pid)], text=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return not state.startswith("Z")
