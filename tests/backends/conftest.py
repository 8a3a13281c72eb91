"""Fixtures that drive a backend as the controller does: submit, and loop over its events."""

from __future__ import annotations

import itertools
import os
import select
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Configuration
from hpo_core.backends import inline, local
from hpo_core.backends.supervisor.processes import watch_exit
from hpo_core.plugin import (
    Backend,
    BackendContext,
    Finished,
    Job,
    JobEvent,
    NoOptions,
    Reported,
    Started,
    Work,
)

SAMPLES = str(Path(__file__).parent / "samples")
HANGS = 60.0  # seconds after which a test that waits has failed


class Clock:
    """The time, never less than before."""

    def now(self) -> float:
        return time.time()


class Driver:
    """A backend, with all that it has said."""

    def __init__(self, build: Any, folder: Path, work: Work, **context: Any) -> None:
        self.folder = folder
        self.study_uid = uuid.uuid4().hex
        self.said: list[JobEvent] = []
        self.on_delivery: Callable[[JobEvent], None] = lambda event: None
        context.setdefault("workers", 4)
        context.setdefault("decides", False)
        told = BackendContext(
            study="test",
            study_uid=self.study_uid,
            work=work,
            clock=Clock(),
            deliver=self._deliver,
            **context,
        )
        self.backend: Backend = build(told, NoOptions())
        self._numbers = itertools.count()

    def job(self, values: dict[str, Any] | None = None, **fields: Any) -> Job:
        """Make a job."""
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

    def submit(self, values: dict[str, Any] | None = None, **fields: Any) -> Job:
        """Make a job and submit it."""
        job = self.job(values, **fields)
        self.backend.submit(job)
        return job

    def step(self) -> list[JobEvent]:
        """Wait for events."""
        events = list(self.backend.events(HANGS))
        assert events, f"nothing has happened for {HANGS} s; so far: {self.said}"
        self.said += events
        return events

    def until(self, what: Callable[[JobEvent], bool]) -> JobEvent:
        """Wait for an event, which may have come already."""
        seen = 0
        while True:
            for event in self.said[seen:]:
                if what(event):
                    return event
            seen = len(self.said)
            self.step()

    def started(self, job: Job) -> Started:
        """Wait until a job has started."""
        event = self.until(lambda e: isinstance(e, Started) and e.job_id == job.id)
        assert isinstance(event, Started)
        return event

    def reported(self, job: Job) -> Reported:
        """Wait for a job's first report."""
        event = self.until(lambda e: isinstance(e, Reported) and e.job_id == job.id)
        assert isinstance(event, Reported)
        return event

    def finished(self, job: Job) -> Finished:
        """Wait for a job's end."""
        event = self.until(lambda e: isinstance(e, Finished) and e.job_id == job.id)
        assert isinstance(event, Finished)
        return event

    def run(self, values: dict[str, Any] | None = None, **fields: Any) -> Finished:
        """Run a job to its end."""
        return self.finished(self.submit(values, **fields))

    def reports(self, job_id: str | None = None) -> list[tuple[int | None, dict[str, float]]]:
        """Return what has been reported."""
        return [
            (event.iteration, dict(event.metrics))
            for event in self.said
            if isinstance(event, Reported) and job_id in (None, event.job_id)
        ]

    def _deliver(self, event: JobEvent) -> None:
        self.said.append(event)
        self.on_delivery(event)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Return what starts a backend of a name for some work; all are closed in the end."""
    builds = {"inline": inline.build, "local": local.build}
    drivers: list[Driver] = []

    def start(
        name: str,
        *,
        decides: bool = False,
        workers: int = 4,
        directory: str = SAMPLES,
        metric: str | None = "loss",
        **work: Any,
    ) -> Driver:
        given = Work(directory=directory, metric=metric, **work)
        driver = Driver(builds[name], tmp_path, given, decides=decides, workers=workers)
        drivers.append(driver)
        return driver

    yield start
    for driver in drivers:
        driver.backend.close()


@pytest.fixture
def ends() -> Callable[[int], bool]:
    """Return what says whether a process has ended, or is about to."""

    def ends(pid: int) -> bool:
        try:
            process = watch_exit(pid)
        except ProcessLookupError:
            return True
        readable, _, _ = select.select([process], [], [], HANGS)
        process.close()
        return bool(readable)

    if not hasattr(os, "pidfd_open"):
        pytest.skip("needs pidfds")
    return ends
