"""What a person sees while a study runs in a notebook: a few lines under the cell, kept current."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable

from hpo_core.contracts.observer import JobFinished, Observer, StudyEnded, StudyEvent, StudyStarted
from hpo_core.observers.progress import StudyProgress, title

_EVERY = 0.25  # seconds between two updates
_WIDTH = 30  # of the bar, in characters
_KINDS = 4  # of failures that have their own line


def notebook_progress() -> Observer:
    """Return the display for the notebook that this process is the kernel of."""
    return NotebookProgress(_under_the_cell())


class NotebookProgress:
    """Lines of text: a bar, counts, the best so far, what is left.

    Args:
        show: Shows a text in place of the one before.
        clock: Seconds that only grow; for the time between two updates.
    """

    def __init__(
        self, show: Callable[[str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._clock = clock
        self._shown = -_EVERY
        self._known: StudyProgress | None = None

    def observe(self, event: StudyEvent, /) -> None:
        """Show where the study stands, unless that was done just now."""
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
    """Return what shows a text under the cell that runs, in place of the one before."""
    display = importlib.import_module("IPython.display")
    handle = display.display({"text/plain": ""}, raw=True, display_id=True)
    return lambda text: handle.update({"text/plain": text}, raw=True)
