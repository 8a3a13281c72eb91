"""The actor: it runs a worker as a child of its process, and is gone when the worker is."""

from __future__ import annotations

import os
import threading

from hpo_core.plugin import RunningWorker

_HEARD_IN = 10.0
"""Seconds in which the driver has the actor's last answer."""

_ENDS_IN = 15.0
"""Maximum time in seconds for a worker and its job to end."""


class WorkerActor:
    """Runs one worker. Its methods are called at the same time, from threads."""

    def __init__(self) -> None:
        self._running: RunningWorker | None = None
        self._is_over = threading.Event()
        self._why = ""

    def serve(self, order: str, is_moved: bool) -> str:
        """Run a worker to its end, and return why it has ended.

        Args:
            order: Its order.
            is_moved: Whether its jobs run in the working directory that Ray has made.
        """
        self._running = RunningWorker(order, os.getcwd() if is_moved else None)
        try:
            self._why = self._running.wait()
            return self._why
        finally:
            self._is_over.set()
            # Nobody may be left to end an actor that outlives its driver.
            timer = threading.Timer(_HEARD_IN, os._exit, (0,))
            timer.daemon = True
            timer.start()

    def join(self) -> str:
        """Wait until the worker has ended, and return why."""
        self._is_over.wait()
        return self._why

    def stop(self) -> None:
        """End the worker with its job immediately, and wait for that."""
        if self._running is not None:
            self._running.end()
            self._is_over.wait(_ENDS_IN)
