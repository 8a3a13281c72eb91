"""Notifies observers and callbacks; one that raises is logged once and dropped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from hpo_core.contracts.observer import FinishedJob, JobFinished, Observer, StudyEvent

_log = logging.getLogger("hpo_core")


class JobCallback:
    """An observer that calls a function for each finished job."""

    def __init__(self, function: Callable[[FinishedJob], object]) -> None:
        self._function = function

    def observe(self, event: StudyEvent, /) -> None:
        """Pass finished jobs on."""
        if isinstance(event, JobFinished):
            self._function(event.finished)


class ObserverDispatcher:
    """The observers of one run; false if there are none.

    Args:
        observers: The observers, in the order in which they are notified.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = list(observers)

    def __bool__(self) -> bool:
        return bool(self._observers)

    def notify(self, event: StudyEvent) -> None:
        """Notify every observer; drop those that raise."""
        for observer in list(self._observers):
            try:
                observer.observe(event)
            except Exception:  # noqa: BLE001  # it may raise anything, and is logged
                _log.exception("%s raised, and is told nothing more; the search goes on", observer)
                self._observers.remove(observer)
