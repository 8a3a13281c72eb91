"""An engine that runs nothing: jobs report and end by a virtual clock. For `scale.py`.

The clock goes on by itself, as fast as the controller works, so that all that the controller costs
counts; where the controller would sleep until the next event, the clock jumps there.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from hpo_core.plugin import (
    Backend,
    BackendContext,
    BackendSpec,
    Finished,
    Job,
    JobEvent,
    Outcome,
    Reported,
    Started,
    hookimpl,
)

AT_ONCE = 1_000
"""Maximum number of events that are returned at once."""


class VirtualClock:
    """Time that goes on by itself, and jumps.

    Args:
        tick: What it goes on by: a function that returns seconds.
    """

    def __init__(self, tick: Callable[[], float] = time.perf_counter) -> None:
        self._tick = tick
        self._offset = time.time() - tick()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._offset + self._tick()

    def jump(self, moment: float) -> None:
        """Go on to a moment, unless it is past."""
        self._offset += max(moment - self.now(), 0.0)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the jobs are like.

    Attributes:
        seconds: How long each runs.
        reports: How often it reports meanwhile.
    """

    seconds: float = 60.0
    reports: int = 10


class StubEngine:
    """Starts a job in no time, and lets it report at even intervals and end in time."""

    def __init__(self, context: BackendContext, options: Options) -> None:
        self._clock = context.clock
        self._options = options
        self._due: list[tuple[float, int, JobEvent]] = []
        self._numbers = itertools.count()
        self._cancelled: set[str] = set()

    def submit(self, job: Job) -> None:
        """Plan all that a job will do."""
        start, seconds, reports = self._clock.now(), self._options.seconds, self._options.reports
        self._plan(Started(job.id, start))
        for number in range(1, reports + 1):
            at = start + seconds * number / (reports + 1)
            self._plan(Reported(job.id, at, number, {"loss": 1.0 / number}))
        end = Finished(job.id, start + seconds, Outcome.COMPLETED, metrics={"loss": 0.0})
        self._plan(end)

    def cancel(self, job_id: str, *, grace: float) -> None:
        """End a job at once."""
        if job_id not in self._cancelled:
            self._cancelled.add(job_id)
            self._plan(Finished(job_id, self._clock.now(), Outcome.CANCELLED))

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        """Return what is due, or let time pass until something is."""
        if self._due:
            until = self._due[0][0]
            if timeout is not None:
                until = min(until, self._clock.now() + timeout)
            self._clock.jump(until)
        now, found = self._clock.now(), []
        while self._due and self._due[0][0] <= now and len(found) < AT_ONCE:
            event = heapq.heappop(self._due)[2]
            is_late = event.job_id in self._cancelled
            if not is_late or (type(event) is Finished and event.outcome is Outcome.CANCELLED):
                found.append(event)
        return found

    def wake(self) -> None:
        """Do nothing: it does not sleep."""

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Adopt none."""
        return ()

    def close(self) -> None:
        """Do nothing."""

    def _plan(self, event: JobEvent) -> None:
        heapq.heappush(self._due, (event.time, next(self._numbers), event))


def build(context: BackendContext, options: Options) -> Backend:
    """Build the engine."""
    return StubEngine(context, options)


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Return the spec."""
    return [BackendSpec(name="stub", summary="virtual jobs", build=build, options=Options)]
