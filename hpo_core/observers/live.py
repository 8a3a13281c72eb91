"""The live progress display on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from hpo_core.contracts.observer import StudyEnded, StudyEvent, StudyStarted
from hpo_core.model.durations import human
from hpo_core.model.text import counted, printable
from hpo_core.observers.study_progress import RunningJob, StudyProgress, title

_KINDS = 4  # maximum number of kinds of failures with their own line
_JOBS = 8  # maximum number of running jobs with their own line
_BAR = 30  # width of a bar in columns, if the window has room for it
_CURVE = 16  # width of a sparkline, likewise
_NARROW = 60  # a window with fewer columns has shorter bars and no sparklines


class LiveProgress:
    """A live display on a terminal: the budget, the jobs, the best trial, failures.

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
        assert self._known is not None
        return Screen(self._known, time.monotonic() + self._offset, self._note())


class Screen:
    """One state of the display, which adapts to the width of the window.

    Args:
        known: The progress of the study.
        now: The time, as that of events.
        note: The last line; ``""`` for none.
    """

    def __init__(self, known: StudyProgress, now: float, note: str = "") -> None:
        self._known = known
        self._now = now
        self._note = note

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        is_narrow = options.max_width < _NARROW
        yield _cut(title(self._known.study), style="bold")
        yield self._limits(_BAR // 3 if is_narrow else _BAR)
        yield _cut(self._counts())
        yield _cut(self._best(), style="green")
        yield self._jobs(0 if is_narrow else _CURVE, plain=options.ascii_only)
        yield from (_cut(line, style="red") for line in self._known.failures.lines(_KINDS))
        if self._note:
            yield _cut(self._note, style="yellow")

    def _limits(self, width: int) -> RenderableType:
        """Return a bar for each limit of the budget, and the time of the study."""
        known, now = self._known, self._now
        bars = Table.grid(_column(), Column(width=width), _column(), padding=(0, 1))
        for name, share, words in known.limits(now):
            bar = ProgressBar(total=1.0, completed=share, width=width)
            bars.add_row(name, bar, words)
        left = known.seconds_left(now)
        said = known.elapsed(now) + (f", about {human(left)} left" if left else "")
        if not known.limits(now):
            said += "; no budget: the study runs until the strategy is exhausted"
        return Group(bars, _cut(said)) if bars.row_count else _cut(said)

    def _counts(self) -> str:
        known = self._known
        busy = known.utilisation(self._now)
        workers = counted(known.study.workers, "worker")
        return known.counts() + ("" if busy is None else f"; {workers} {busy:.0%} busy")

    def _best(self) -> str:
        known = self._known
        if known.best_at is None:
            return known.best_so_far()
        return f"{known.best_so_far()}, {human(self._now - known.best_at)} ago"

    def _jobs(self, width: int, *, plain: bool) -> RenderableType:
        """Return a line for each running job.

        Args:
            width: Width of the sparklines; 0 for none.
            plain: Whether the terminal shows ASCII alone.
        """
        running = list(self._known.running.values())
        table = Table.grid(_column(), _column(), _column(), padding=(0, 1))
        for job in running[:_JOBS]:
            cells = _cells(job, width, plain=plain)
            table.add_row(*map(Text, cells), style="dim")  # text is not read as markup
        if len(running) > _JOBS:
            return Group(table, _cut(f"  and {len(running) - _JOBS} more", style="dim"))
        return table


def _cells(running: RunningJob, width: int, *, plain: bool) -> Iterator[str]:
    """Yield the cells of a running job: its name, its curve, its iteration and value."""
    yield f"  {printable(running.job.name)}"
    yield running.curve.drawn(width, plain=plain)
    reached = "" if running.iteration is None else f"iteration {running.iteration}"
    if reached and running.job.iterations:
        reached += f" of {running.job.iterations}"
    value = "" if running.value is None else f"{running.value:.6g}"
    yield ", ".join(filter(None, (value, reached)))


def _column() -> Column:
    return Column(no_wrap=True, overflow="ellipsis")


def _cut(text: str, style: str = "") -> Text:
    """Return a line that is truncated at the width of the terminal."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
