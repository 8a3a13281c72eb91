"""The progress display of a running study: live on a terminal, otherwise occasional lines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hpo_core.contracts.observer import (
    FinishedJob,
    JobFinished,
    JobReported,
    JobStarted,
    Observer,
    StudyEnded,
    StudyEvent,
    StudyStarted,
)
from hpo_core.model.budget import LIMITS, remaining
from hpo_core.model.durations import human
from hpo_core.model.job import Job, JobState
from hpo_core.model.text import counted, first_line, printable
from hpo_core.observers.failures import Failures

_LINE_EVERY = 2.0  # seconds between two plain lines, except for remarkable events
_KINDS = 4  # maximum number of kinds of failures with their own line
FAILED = (JobState.FAILED, JobState.TIMED_OUT)


def progress_observer(stream: TextIO, note: Callable[[], str] = str) -> Observer:
    """Return the display for a stream: live on a terminal, lines elsewhere.

    Args:
        stream: The output stream.
        note: Returns the last line of a live display; ``""`` for none.
    """
    return LiveProgress(stream, note) if stream.isatty() else PlainProgress(stream)


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
        self.running: dict[str, tuple[Job, int | None]] = {}
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
                self.running[job.id] = (job, None)
            case JobReported(job=job, iteration=iteration):
                self.running[job.id] = (job, iteration)
                self._reported(event)
            case JobFinished(finished=finished):
                self.running.pop(finished.job.id, None)
                if finished.is_best:
                    self.best = f"{self._values(finished.values)} ({printable(finished.job.name)})"
                if finished.state in FAILED:
                    self._failed(finished)
        if isinstance(event, JobStarted | JobFinished | StudyEnded):
            self.progress, self.at = event.progress, event.time

    def _reported(self, event: JobReported) -> None:
        """Keep the best report; with several objectives there is no single best one."""
        objective, *others = self.study.objectives
        value = event.metrics.get(objective.metric, math.nan)
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
        usage, budget, since = self.progress.usage, self.study.budget, max(now - self.at, 0.0)
        shares = [getattr(usage, n) / getattr(budget, n) for n in LIMITS if getattr(budget, n)]
        if budget.wall_time:
            shares.append((usage.wall_time + since) / budget.wall_time)
        return min(max(shares), 1.0) if shares else None

    def finished(self, finished: FinishedJob) -> str:
        """Return a line about a finished job."""
        said = self._values(finished.values) or first_line(finished.reason)
        best = "  (the best so far)" if finished.is_best else ""
        return f"{printable(finished.job.name)} {finished.state.value}: {said}{best}"

    def _values(self, values: object) -> str:
        assert hasattr(values, "items")
        return ", ".join(f"{printable(name)} {value:.6g}" for name, value in values.items())


class PlainProgress:
    """Lines for a log file: each new best trial, each failure, and the progress from time to time.

    Args:
        stream: Where to write.
        clock: A monotonic clock in seconds, for the time between lines.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._last_line = -_LINE_EVERY
        self._known: StudyProgress | None = None

    def observe(self, event: StudyEvent, /) -> None:
        """Write a line, if there is something to report."""
        if isinstance(event, StudyStarted):
            self._known = StudyProgress(event)
            self._write(f"{title(event)}; {self._known.left(event.time)}")
        known = self._known
        if known is None:
            return
        known.take_in(event)
        match event:
            case JobFinished(finished=finished):
                is_bad = finished.state in FAILED
                if finished.is_best or is_bad or self._clock() - self._last_line >= _LINE_EVERY:
                    self._write(
                        f"{known.finished(finished)}; {known.counts()}; {known.left(event.time)}"
                    )
            case StudyEnded():
                self._write(f"{known.counts()} in {known.elapsed(event.time)}")

    def _write(self, line: str) -> None:
        self._last_line = self._clock()
        print(line, file=self._stream, flush=True)


class LiveProgress:
    """A live display on a terminal: a bar, counts, the best trial, the remaining budget, running
    jobs.

    Args:
        stream: The terminal.
        note: Returns the last line of the display; ``""`` for none.
    """

    def __init__(self, stream: TextIO, note: Callable[[], str] = str) -> None:
        self._console = Console(file=stream)
        self._note = note
        self._live: Live | None = None
        self._known: StudyProgress | None = None
        self._offset = 0.0

    def observe(self, event: StudyEvent, /) -> None:
        """Update the display with an event."""
        if isinstance(event, StudyStarted):
            self._known = StudyProgress(event)
            self._offset = event.time - time.monotonic()
            self._live = Live(
                get_renderable=self._render,
                console=self._console,
                refresh_per_second=8,
                transient=False,
            )
            self._live.start()
        if self._known is None or self._live is None:
            return
        self._known.take_in(event)
        if isinstance(event, StudyEnded):
            self.close()

    def close(self) -> None:
        """Leave the terminal as it was, also where the study did not come to its end.

        The display has a thread; one that writes while Python ends is a fatal error of Python.
        """
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _render(self) -> RenderableType:
        known = self._known
        assert known is not None
        now = time.monotonic() + self._offset
        head = Table.grid(padding=(0, 1))
        share = known.share(now)
        bar = ProgressBar(total=1.0, completed=share or 0.0, width=30, pulse=share is None)
        head.add_row(Text(title(known.study), style="bold"), bar, Text(known.elapsed(now)))
        lines: list[RenderableType] = [head, Text(f"{known.counts()}; {known.left(now)}")]
        lines.append(_cut(known.best_so_far(), style="green"))
        for job, iteration in list(known.running.values())[:8]:
            reached = "" if iteration is None else f"  iteration {iteration}"
            of = f" of {job.iterations}" if reached and job.iterations else ""
            row = Table.grid(padding=(0, 0, 0, 2), pad_edge=True)
            row.add_row(_cut(printable(job.name), style="dim"), Text(reached + of, style="dim"))
            lines.append(row)
        lines += [_cut(line, style="red") for line in known.failures.lines(_KINDS)]
        if note := self._note():
            lines.append(Text(note, style="yellow"))
        return Group(*lines)


def _cut(text: str, style: str) -> Text:
    """Return a line that is truncated at the width of the terminal."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def title(started: StudyStarted) -> str:
    """Return the name, the strategy and the workers of a study, in a line."""
    who = f"{started.name}: {started.strategy}"
    return f"{printable(who)}, {counted(started.workers, 'worker')}"
