"""The progress display in a notebook: a bar and a few lines under the cell, updated in place.

It is static HTML, with plain text for front ends that show no HTML; there is no script in it and
no widget, so that it needs no extension and stays in the saved notebook.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from html import escape

from hpo_core.contracts.observer import JobFinished, Observer, StudyEnded, StudyEvent, StudyStarted
from hpo_core.observers.study_progress import StudyProgress, title

_EVERY = 0.25  # seconds between two updates
_WIDTH = 30  # width of the bar in characters
_KINDS = 4  # maximum number of kinds of failures with their own line


def notebook_progress() -> Observer:
    """Return the display for the notebook whose kernel this process is."""
    return NotebookProgress(_under_the_cell())


class NotebookProgress:
    """A bar, counts, the best trial so far, the remaining budget.

    Args:
        show: Replaces what is shown, given by its MIME types: ``text/plain`` and ``text/html``.
        clock: A monotonic clock in seconds, for the time between two updates.
    """

    def __init__(
        self, show: Callable[[dict[str, str]], object], clock: Callable[[], float] = time.monotonic
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
            self._show(_bundle(known, event.time))


def _bundle(known: StudyProgress, now: float) -> dict[str, str]:
    share = known.share(now)
    bar = "" if share is None else f"[{'#' * round(share * _WIDTH):{_WIDTH}}] {share:4.0%}  "
    head = title(known.study)
    state = f"{known.elapsed(now)}  {known.counts()}; {known.left(now)}"
    lines = [known.best_so_far(), *known.failures.lines(_KINDS)]
    element = "" if share is None else f'<progress max="1" value="{share:.4f}"></progress> '
    html = [f"<b>{escape(head)}</b>", f"{element}{escape(state)}", *map(escape, lines)]
    return {
        "text/plain": "\n".join([head, f"{bar}{state}", *lines]),
        "text/html": "".join(f"<div>{line}</div>" for line in html),
    }


def _under_the_cell() -> Callable[[dict[str, str]], object]:
    """Return a function that replaces what is shown under the running cell."""
    display = importlib.import_module("IPython.display")
    handle = display.display({"text/plain": ""}, raw=True, display_id=True)
    return lambda bundle: handle.update(bundle, raw=True)
