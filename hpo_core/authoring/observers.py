"""Building blocks of observers: a callback, and a bounded queue before an observer that waits.

A tracker waits for a server or a disk. `BackgroundObserver` notifies it in its own thread, so
that a slow or dead one never slows a study down.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from hpo_core.contracts.observer import (
    FinishedJob,
    JobFinished,
    JobReported,
    Observer,
    StudyEnded,
    StudyEvent,
)
from hpo_core.model.text import counted

_log = logging.getLogger("hpo_core")

_CAPACITY = 10_000
"""Maximum number of waiting reports. Starts and ends of jobs have as many places more."""

_SILENT = 1.0
"""Seconds of waiting at the end of a study before a message says so."""

_PATIENCE = 300.0
"""Maximum time in seconds that the end of a study waits for an observer."""

_STUCK = 30.0
"""Seconds without progress after which the end of a study waits no more."""

_AT_ONCE = 20
"""Maximum number of events that ``observe_all`` gets."""


class JobCallback:
    """An observer that calls a function for each finished job."""

    def __init__(self, function: Callable[[FinishedJob], object]) -> None:
        self._function = function

    def observe(self, event: StudyEvent, /) -> None:
        """Call the function for finished jobs."""
        if isinstance(event, JobFinished):
            self._function(event.finished)


class BackgroundObserver:
    """Notifies an observer in its own thread, by a bounded queue.

    If the queue is full, events are dropped, reports first. If the observer raises an exception,
    the event counts as failed, and the next one is tried. Both are logged once when they first
    occur, and are counted at the end.

    The observer may have a method ``observe_all(events)``, which is called in place of `observe`
    with the events that wait, oldest first, at most 20, so that it can send them together. It
    returns the exceptions of those that failed; if it raises one, all of them count as failed.

    Args:
        observer: The observer. All its calls come from the same thread.
        name: Its name, for messages.
        capacity: Maximum number of waiting reports; other events have as many places more.
    """

    def __init__(self, observer: Observer, name: str, *, capacity: int = _CAPACITY) -> None:
        self._observer = observer
        self._name = name
        self._capacity = capacity
        self._queue: deque[StudyEvent] = deque()
        self._changed = threading.Condition()  # guards all that follows
        self._thread: threading.Thread | None = None
        self._is_ended = self._is_given_up = self._is_closed = False
        self._unfinished = 0  # queued, or being handled
        self._seen = self._dropped = self._failed = self._late = 0

    def __repr__(self) -> str:
        """Return the observer's name."""
        return f"<BackgroundObserver {self._name!r}>"

    @property
    def missed(self) -> int:
        """The number of events that the observer has missed so far."""
        return self._dropped + self._failed + self._late

    def observe(self, event: StudyEvent, /) -> None:
        """Queue an event, or drop it if the queue is full. Returns immediately."""
        with self._changed:
            self._seen += 1
            if len(self._queue) >= self._places(event):
                self._dropped += 1
                is_first = self._dropped == 1
            else:
                is_first = False
                self._queue.append(event)
                self._unfinished += 1
                self._is_ended = isinstance(event, StudyEnded)
                self._changed.notify_all()
                self._start()
        if is_first:
            _log.warning(
                "the observer %r is too slow, and %s wait for it: events are dropped from here on, "
                "reports first; the study continues",
                self._name,
                counted(self._capacity, "event"),
            )

    def close(self) -> None:
        """Wait until the observer has handled all events.

        The wait ends after 30 seconds without progress, or 5 minutes; `give_up` ends it,
        too. If the observer has missed events, a warning says how many.
        """
        deadline = monotonic() + _PATIENCE
        if not self._wait(_SILENT):
            _log.warning(
                "waiting for the observer %r to handle %s; Ctrl-C ends the wait, and so do %g "
                "seconds without progress",
                self._name,
                counted(self._unfinished, "event"),
                _STUCK,
            )
            before = -1
            while monotonic() < deadline and before != self._unfinished:
                before = self._unfinished
                if self._wait(min(_STUCK, deadline - monotonic())):
                    break
        with self._changed:
            self._late, self._unfinished = self._unfinished, 0
            self._is_ended = self._is_given_up = self._is_closed = True
            self._queue.clear()
            self._changed.notify_all()
        if self.missed:
            _log.warning("%s", self._account())

    def give_up(self) -> None:
        """End the wait of `close`. Thread-safe."""
        with self._changed:
            self._is_given_up = True
            self._changed.notify_all()

    # -- parts ------------------------------------------------------------------------------

    def _places(self, event: StudyEvent) -> float:
        match event:
            case JobReported():
                return self._capacity
            case StudyEnded():
                return float("inf")
            case _:
                return 2 * self._capacity

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name=f"hpo-observer-{self._name}", daemon=True
            )
            self._thread.start()

    def _wait(self, seconds: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_given_up or not self._unfinished, seconds)
            return not self._unfinished or self._is_given_up

    def _run(self) -> None:
        observe_all = getattr(self._observer, "observe_all", None)
        while events := self._next(1 if observe_all is None else _AT_ONCE):
            errors: Sequence[Exception] = ()
            try:
                if observe_all is None:
                    self._observer.observe(events[0])
                else:
                    errors = observe_all(events)
            except Exception as raised:  # noqa: BLE001  # it may raise anything, and is logged
                errors = [raised] * len(events)
            with self._changed:
                self._unfinished = max(self._unfinished - len(events), 0)
                is_first = bool(errors) and not self._failed
                self._failed += 0 if self._is_closed else len(errors)
                self._changed.notify_all()
            if is_first:
                error = errors[0]
                _log.warning(
                    "the observer %r failed to handle an event: %s: %s; the study continues, and "
                    "its end says how many events it missed",
                    self._name,
                    type(error).__name__,
                    error,
                )
                _log.debug("the exception of the observer %r", self._name, exc_info=error)

    def _next(self, most: int) -> list[StudyEvent]:
        """Wait for events, and return the oldest ones; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_ended)
            found: list[StudyEvent] = []
            while self._queue and len(found) < most:
                if found and isinstance(self._queue[0], StudyEnded):
                    break  # what came before it counts as handled then
                found.append(self._queue.popleft())
            return found

    def _account(self) -> str:
        causes = {
            "dropped, since too many waited": self._dropped,
            "failed": self._failed,
            "not handled in time": self._late,
        }
        told = ", ".join(f"{number:,} {cause}" for cause, number in causes.items() if number)
        events = counted(self._seen, "event")
        return f"the observer {self._name!r} missed {self.missed:,} of {events}: {told}"
