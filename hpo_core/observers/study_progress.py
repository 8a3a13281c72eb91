"""The progress of a running study, as numbers and in words."""

from __future__ import annotations

import math

from hpo_core.contracts.observer import (
    FinishedJob,
    JobFinished,
    JobReported,
    JobStarted,
    StudyEnded,
    StudyEvent,
    StudyStarted,
)
from hpo_core.model.budget import LIMITS, Usage, remaining
from hpo_core.model.durations import human
from hpo_core.model.job import Job, JobState
from hpo_core.model.text import counted, first_line, printable
from hpo_core.observers.failures import Failures
from hpo_core.observers.sparkline import Curve

FAILED = (JobState.FAILED, JobState.TIMED_OUT)


class RunningJob:
    """A running job, and what it has reported.

    Attributes:
        job: The job.
        iteration: The last iteration that it reported; None if none counts.
        value: The last value of the first objective; None before there is one.
        curve: The values so far.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.iteration: int | None = None
        self.value: float | None = None
        self.curve = Curve()


class StudyProgress:
    """The progress of a study, and its description as text.

    Args:
        started: The study's first event.
    """

    def __init__(self, started: StudyStarted) -> None:
        self.study = started
        self.progress = started.progress
        self.at = started.time  # the time of the progress
        self.best = ""
        self.leader = ""  # the best report of an unfinished trial so far
        self.failures = Failures()
        self.best_at: float | None = None  # the time of the best trial, if it is of this session
        self.running: dict[str, RunningJob] = {}
        self._began = started.progress.usage
        self._busy = 0.0  # the sum of the times that workers were busy in this session
        self._least = math.inf  # the loss of the leader
        self._leads: int | None = None  # the trial of the leader
        if started.best is not None:
            self.best = self._values(
                {
                    objective.metric: objective.loss(loss)
                    for objective, loss in zip(started.objectives, started.best, strict=True)
                }
            )

    def take_in(self, event: StudyEvent) -> None:
        """Handle an event."""
        match event:
            case JobStarted(job=job):
                self.running[job.id] = RunningJob(job)
            case JobReported():
                self._reported(event)
            case JobFinished(finished=finished):
                self.running.pop(finished.job.id, None)
                if finished.is_best:
                    self.best = f"{self._values(finished.values)} ({printable(finished.job.name)})"
                    self.best_at = event.time
                if finished.state in FAILED:
                    self._failed(finished)
        if isinstance(event, JobStarted | JobFinished | StudyEnded):
            self._busy += self.progress.running * max(event.time - self.at, 0.0)
            self.progress, self.at = event.progress, event.time

    def _reported(self, event: JobReported) -> None:
        """Keep the best report; with several objectives there is no single best one."""
        objective, *others = self.study.objectives
        value = event.metrics.get(objective.metric, math.nan)
        running = self.running.setdefault(event.job.id, RunningJob(event.job))
        if event.iteration is not None:
            running.iteration = event.iteration
        if objective.metric in event.metrics:
            running.value = value
            running.curve.add(value)
        if not others and objective.loss(value) < self._least:
            self._least, self._leads = objective.loss(value), event.job.trial_id
            at = "" if event.iteration is None else f" at iteration {event.iteration}"
            said = self._values({objective.metric: value})
            self.leader = f"{said}{at} ({printable(event.job.name)})"

    def _failed(self, finished: FinishedJob) -> None:
        self.failures.add(finished)
        if finished.job.trial_id == self._leads:  # its reports do not count
            self.leader, self._least = "", math.inf

    def best_so_far(self) -> str:
        """Return the best completed trial, or else the best report."""
        if self.best:
            return f"best: {self.best}"
        if self.leader:
            return f"best so far: {self.leader}, which is not completed"
        return "best: none yet"

    def counts(self) -> str:
        """Return the number of trials in each state: done, running, failed, …."""
        progress = self.progress
        parts = [f"{progress.completed} done", f"{progress.running} running"]
        if progress.stopped:
            parts.append(f"{progress.stopped} stopped early")
        if progress.paused:
            parts.append(f"{progress.paused} paused")
        return ", ".join([*parts, f"{progress.failed} failed"])

    def left(self, now: float) -> str:
        """Return the remaining budget and time."""
        used, since = self.progress.usage, max(now - self.at, 0.0)
        running = self.progress.running
        left = remaining(self.study.budget, used)
        words = []
        for name in LIMITS:
            if name == "wall_time" and name in left:
                words.append(f"{human(left[name] - since)} of time")
            elif name == "compute_time" and name in left:
                words.append(f"{human(left[name] - since * running)} of compute time")
            elif name in left:
                words.append(counted(int(left[name]), name.removesuffix("s")))
        return (
            f"left: {', '.join(words)}"
            if words
            else "no budget: the study runs until the strategy is exhausted"
        )

    def elapsed(self, now: float) -> str:
        """Return the run time of the study."""
        return human(self.progress.usage.wall_time + max(now - self.at, 0.0))

    def share(self, now: float) -> float | None:
        """Return the used share of the budget, for the limit closest to its end."""
        return max((share for _, share, _ in self.limits(now)), default=None)

    def limits(self, now: float) -> list[tuple[str, float, str]]:
        """Return the limits of the budget: the name, the used share, and the use in words."""
        usage, budget = self._usage(now), self.study.budget
        shown = []
        for name in LIMITS:
            limit, used = getattr(budget, name), getattr(usage, name)
            if limit:
                is_time = name.endswith("_time")
                words = f"{human(used)} of {human(limit)}" if is_time else f"{used} of {limit}"
                shown.append((name.replace("_", " "), min(used / limit, 1.0), words))
        return shown

    def seconds_left(self, now: float) -> float | None:
        """Estimate the time until the budget ends, at the pace of this session.

        Returns:
            The estimate in seconds; None without a budget, or before any of it is used.
        """
        usage, budget = self._usage(now), self.study.budget
        elapsed = usage.wall_time - self._began.wall_time
        estimates = []
        for name in LIMITS:
            limit, used = getattr(budget, name), getattr(usage, name)
            if name in ("trials", "jobs") and budget.count == "launched":
                used = max(used - self.progress.running, 0)  # those that have ended
            spent = used - getattr(self._began, name)
            if limit and spent > 0:
                estimates.append(max(limit - used, 0.0) * elapsed / spent)
        return min(estimates, default=None)

    def utilisation(self, now: float) -> float | None:
        """Return the mean share of the workers that were busy in this session.

        None before a job has started.
        """
        available = (now - self.study.time) * self.study.workers
        busy = self._busy + self.progress.running * max(now - self.at, 0.0)
        return min(busy / available, 1.0) if busy and available > 0 else None

    def _usage(self, now: float) -> Usage:
        """Return the usage of the budget, with the time since the last event."""
        used, since = self.progress.usage, max(now - self.at, 0.0)
        return Usage(
            trials=used.trials,
            jobs=used.jobs,
            iterations=used.iterations,
            compute_time=used.compute_time + since * self.progress.running,
            wall_time=used.wall_time + since,
        )

    def finished(self, finished: FinishedJob) -> str:
        """Return a line about a finished job."""
        said = self._values(finished.values) or first_line(finished.reason)
        best = "  (the best so far)" if finished.is_best else ""
        return f"{printable(finished.job.name)} {finished.state.value}: {said}{best}"

    def _values(self, values: object) -> str:
        assert hasattr(values, "items")
        return ", ".join(f"{printable(name)} {value:.6g}" for name, value in values.items())


def title(started: StudyStarted) -> str:
    """Return the name, the strategy and the workers of a study, in a line."""
    who = f"{started.name}: {started.strategy}"
    return f"{printable(who)}, {counted(started.workers, 'worker')}"
