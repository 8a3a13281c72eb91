"""Notify observers and callbacks. One that raises is logged and removed."""

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
        """Call the function for finished jobs."""
        if isinstance(event, JobFinished):
            self._function(event.finished)


class ObserverDispatcher:
    """The observers of a run; falsy if there are none.

    Args:
        observers: The observers, in the order in which they are notified.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = list(observers)

    def __bool__(self) -> bool:
        return bool(self._observers)

    def notify(self, event: StudyEvent) -> None:
        """Notify every observer; remove those that raise."""
        for observer in list(self._observers):
            try:
                observer.observe(event)
            except Exception:  # noqa: BLE001  # it may raise anything, and is logged
                _log.exception(
                    "%s raised an exception and is not notified any more; the study continues",
                    observer,
                )
                self._observers.remove(observer)
