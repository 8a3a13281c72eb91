"""What a person sees while a study runs: a live display on a terminal, else a line now and then."""

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

_LINE_EVERY = 2.0  # seconds between two plain lines, but for what is remarkable
_KINDS = 4  # of failures that have their own line
FAILED = (JobState.FAILED, JobState.TIMED_OUT)


def progress_observer(stream: TextIO, note: Callable[[], str] = str) -> Observer:
    """Return the display that suits a stream: live on a terminal, lines elsewhere.

    Args:
        stream: Where to write.
        note: Returns what else to say at the moment, on a terminal; ``""`` for nothing.
    """
    return LiveProgress(stream, note) if stream.isatty() else PlainProgress(stream)


class StudyProgress:
    """What is known of a study's progress, and how it is put into words.

    Args:
        started: The study's first event.
    """

    def __init__(self, started: StudyStarted) -> None:
        self.study = started
        self.progress = started.progress
        self.at = started.time  # the moment that the progress is of
        self.best = ""
        self.leader = ""  # the best that an unfinished trial has reported so far
        self.failures = Failures()
        self.running: dict[str, tuple[Job, int | None]] = {}
        self._least = math.inf  # the leader's loss
        self._leads: int | None = None  # its trial
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
        """Keep the best report; with several objectives there is no one best."""
        objective, *others = self.study.objectives
        value = event.metrics.get(objective.metric, math.nan)
        if not others and objective.loss(value) < self._least:
            self._least, self._leads = objective.loss(value), event.job.trial_id
            at = "" if event.iteration is None else f" at iteration {event.iteration}"
            said = self._values({objective.metric: value})
            self.leader = f"{said}{at} ({printable(event.job.name)})"

    def _failed(self, finished: FinishedJob) -> None:
        self.failures.add(finished)
        if finished.job.trial_id == self._leads:  # what it had reported does not count
            self.leader, self._least = "", math.inf

    def best_so_far(self) -> str:
        """Return the best completed trial, or else the best that one has reported."""
        if self.best:
            return f"best: {self.best}"
        if self.leader:
            return f"best so far: {self.leader}, which is not completed"
        return "best: none yet"

    def counts(self) -> str:
        """Return how many trials there are of each kind: done, running, failed, …."""
        progress = self.progress
        parts = [f"{progress.completed} done", f"{progress.running} running"]
        if progress.stopped:
            parts.append(f"{progress.stopped} stopped early")
        if progress.paused:
            parts.append(f"{progress.paused} paused")
        return ", ".join([*parts, f"{progress.failed} failed"])

    def left(self, now: float) -> str:
        """Return what is left of the budget, and of the time."""
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
            else "no budget: it goes on until the strategy has nothing more to try"
        )

    def elapsed(self, now: float) -> str:
        """Return how long the study has run."""
        return human(self.progress.usage.wall_time + max(now - self.at, 0.0))

    def share(self, now: float) -> float | None:
        """Return the share of the budget that is used, of the limit that is nearest."""
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
    """Lines for a log file: each new best, each failure, and how far it is now and then.

    Args:
        stream: Where to write.
        clock: Seconds that only grow; for the distance between lines.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._last_line = -_LINE_EVERY
        self._known: StudyProgress | None = None

    def observe(self, event: StudyEvent, /) -> None:
        """Write a line, if there is something to say."""
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
    """A live display on a terminal: a bar, counts, the best so far, what is left, what runs.

    Args:
        stream: The terminal.
        note: Returns what else to say at the moment; ``""`` for nothing.
    """

    def __init__(self, stream: TextIO, note: Callable[[], str] = str) -> None:
        self._console = Console(file=stream)
        self._note = note
        self._live: Live | None = None
        self._known: StudyProgress | None = None
        self._offset = 0.0

    def observe(self, event: StudyEvent, /) -> None:
        """Take an event into the display."""
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
    """Return a line that is cut where the terminal ends, instead of going on below."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def title(started: StudyStarted) -> str:
    """Return the name, the strategy and the workers of a study, in a line."""
    who = f"{started.name}: {started.strategy}"
    return f"{printable(who)}, {counted(started.workers, 'worker')}"
