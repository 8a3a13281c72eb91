"""Notify observers and callbacks. One that raises is logged and removed."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from hpo_core.authoring.observers import BackgroundObserver
from hpo_core.contracts.observer import Observer, StudyEvent

_log = logging.getLogger("hpo_core")


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

    def close(self) -> None:
        """Wait for the observers that are notified in the background."""
        for observer in self._observers:
            if isinstance(observer, BackgroundObserver):
                observer.close()

    def give_up(self) -> None:
        """End the wait of `close`. Thread-safe."""
        for observer in self._observers:
            if isinstance(observer, BackgroundObserver):
                observer.give_up()
