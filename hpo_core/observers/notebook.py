"""The progress display in a notebook: a few lines under the cell, updated in place."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable

from hpo_core.contracts.observer import JobFinished, Observer, StudyEnded, StudyEvent, StudyStarted
from hpo_core.observers.study_progress import StudyProgress, title

_EVERY = 0.25  # seconds between two updates
_WIDTH = 30  # width of the bar in characters
_KINDS = 4  # maximum number of kinds of failures with their own line


def notebook_progress() -> Observer:
    """Return the display for the notebook whose kernel this process is."""
    return NotebookProgress(_under_the_cell())


class NotebookProgress:
    """Lines of text: a bar, counts, the best trial so far, the remaining budget.

    Args:
        show: Replaces the shown text.
        clock: A monotonic clock in seconds, for the time between two updates.
    """

    def __init__(
        self, show: Callable[[str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._clock = clock
        self._shown = -_EVERY
        self._known: StudyProgress | None = None

    def observe(self, event: StudyEvent, /) -> None:
        """Show the progress, unless it was just updated."""
        if isinstance(event, StudyStarted):
            self._known = StudyProgress(event)
        known = self._known
        if known is None:
            return
        known.take_in(event)
        is_due = self._clock() - self._shown >= _EVERY
        if isinstance(event, StudyStarted | StudyEnded) or (
            isinstance(event, JobFinished) and is_due
        ):
            self._shown = self._clock()
            self._show("\n".join(_lines(known, event.time)))


def _lines(known: StudyProgress, now: float) -> list[str]:
    share = known.share(now)
    bar = "" if share is None else f"[{'#' * round(share * _WIDTH):{_WIDTH}}] {share:4.0%}  "
    return [
        f"{title(known.study)}",
        f"{bar}{known.elapsed(now)}  {known.counts()}; {known.left(now)}",
        known.best_so_far(),
        *known.failures.lines(_KINDS),
    ]


def _under_the_cell() -> Callable[[str], object]:
    """Return a function that replaces the text under the running cell."""
    display = importlib.import_module("IPython.display")
    handle = display.display({"text/plain": ""}, raw=True, display_id=True)
    return lambda text: handle.update({"text/plain": text}, raw=True)
