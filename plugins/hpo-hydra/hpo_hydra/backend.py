"""The backend that runs jobs by Hydra's launcher, all that wait in one call."""

from __future__ import annotations

import os
import queue
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeAlias

from hpo_core.plugin import (
    Backend,
    BackendContext,
    BackendError,
    Finished,
    Job,
    JobEvent,
    Outcome,
    Started,
)

Launch: TypeAlias = Callable[[Sequence[Job]], Sequence[Any]]
"""Runs jobs, and returns for each a `hydra.core.utils.JobReturn`."""

launching: ContextVar[Launch | None] = ContextVar("hpo_hydra_launch", default=None)
"""How the sweep that runs in this thread launches jobs."""


class HydraBackend:
    """Runs all submitted jobs in each call of `events`.

    Args:
        context: Information about the study.
        launch: Runs jobs.
    """

    def __init__(self, context: BackendContext, launch: Launch) -> None:
        self._launch = launch
        self._now = context.clock.now
        self._deliver = context.deliver
        self._queue: deque[Job] = deque()
        self._ended: list[JobEvent] = []
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()  # safe in signal handlers

    def submit(self, job: Job) -> None:
        self._queue.append(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        for job in self._queue:
            if job.id == job_id:
                self._queue.remove(job)
                self._ended.append(Finished(job_id, self._now(), Outcome.CANCELLED))
                break

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        if self._ended:
            ended, self._ended = self._ended, []
            return ended
        if self._queue:
            jobs, self._queue = list(self._queue), deque()
            return self._run(jobs)
        self._wait(timeout)
        return ()

    def wake(self) -> None:
        self._wakes.put(None)

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        return ()  # they ran in or below the sweep's process, and died with it

    def close(self) -> None:
        self._queue.clear()
        self._ended.clear()

    def _wait(self, timeout: float | None) -> None:
        try:
            self._wakes.get(timeout=None if timeout is None else max(timeout, 0.0))
            while True:
                self._wakes.get_nowait()
        except queue.Empty:
            return

    def _run(self, jobs: Sequence[Job]) -> list[JobEvent]:
        for job in jobs:
            os.makedirs(job.checkpoint_dir, mode=0o700, exist_ok=True)
            self._deliver(Started(job.id, self._now()))
        try:
            returned = self._launch(jobs)
        except Exception as error:  # noqa: BLE001  # an override that can't be composed, a launcher
            reason = _described(error)
            return [Finished(job.id, self._now(), Outcome.FAILED, reason) for job in jobs]
        return [self._finished(job, result) for job, result in zip(jobs, returned, strict=True)]

    def _finished(self, job: Job, result: Any) -> Finished:
        try:
            metrics = metrics_of(result.return_value)
        except Exception as error:  # noqa: BLE001  # what the application raised
            return Finished(job.id, self._now(), Outcome.FAILED, _described(error))
        return Finished(job.id, self._now(), Outcome.COMPLETED, "", metrics)


def build(context: BackendContext) -> Backend:
    """Build the backend of the sweep that runs in this thread.

    Raises:
        BackendError: If none does.
    """
    launch = launching.get()
    if launch is None:
        raise BackendError(
            f"the study {context.study!r} is a sweep of Hydra; run its application again to resume "
            f"it: python APP.py -m hydra/sweeper=hpo"
        )
    return HydraBackend(context, launch)


def metrics_of(value: Any) -> dict[str, float]:
    """Convert what an application returns to metrics.

    A number is the metric ``value``, the numbers of a sequence are ``value_0``, ``value_1``, …

    Raises:
        TypeError: If it is neither, nor a mapping of metrics.
    """
    if isinstance(value, Mapping):
        return {str(name): float(number) for name, number in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {f"value_{index}": float(number) for index, number in enumerate(value)}
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(
            f"the application returned {value!r}; return a number, a list of numbers or a mapping "
            f"of metrics from the function under @hydra.main"
        )
    return {"value": float(value)}


def _described(error: BaseException) -> str:
    """Return an exception with its message and traceback."""
    head = f"{type(error).__name__}: {error}"
    return head + "\n" + "".join(traceback.format_exception(error)).rstrip()
