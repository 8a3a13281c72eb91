"""The progress display of a running study: live on a terminal, otherwise occasional lines."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from hpo_core.contracts.observer import JobFinished, Observer, StudyEnded, StudyEvent, StudyStarted
from hpo_core.observers.study_progress import FAILED, StudyProgress, title

_LINE_EVERY = 2.0  # seconds between two plain lines, except for remarkable events


def progress_observer(stream: TextIO, note: Callable[[], str] = str) -> Observer:
    """Return the display for a stream: live on a terminal, lines elsewhere.

    Args:
        stream: The output stream.
        note: Returns the last line of a live display; ``""`` for none.
    """
    if not stream.isatty():
        return PlainProgress(stream)
    from hpo_core.observers.live import LiveProgress  # rich is slow to import

    return LiveProgress(stream, note)


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
