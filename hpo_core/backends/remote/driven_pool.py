"""DrivenPool: a WorkerPool whose engine is used by another process, its driver.

Some engines have threads and event loops of their own, or end the process that uses them when the
engine is gone. The controller survives that: it starts a driver, and speaks with it.
"""

from __future__ import annotations

import abc
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import msgspec

from hpo_core.backends.remote.driver_messages import (
    DriverAnswer,
    DriverFailed,
    DriverReady,
    EndWorkers,
    StartWorkers,
    WorkerEnded,
)
from hpo_core.backends.remote.driver_process import DriverProcess
from hpo_core.backends.remote.worker_pool import WorkerPool
from hpo_core.contracts.backend import BackendContext
from hpo_core.model.errors import BackendError


class DrivenPool(WorkerPool):
    """Runs jobs on workers that a driver starts: inherit it, and write the driver's module.

    The driver calls `run_driver`. Implement `check_room` here.

    Args:
        context: The study.
        driver: The driver's module.
        settings: What the driver needs to know of the study.
        engine: The engine, for messages, such as "the Ray cluster at head:6379".
        is_own: Whether the driver starts the engine, and ends it. If so, no worker outlives it.
        **network: Further arguments of `WorkerPool`.

    Raises:
        BackendError: If the engine cannot be reached or started, or has no room for a job.
    """

    def __init__(
        self,
        context: BackendContext,
        driver: str,
        settings: msgspec.Struct,
        *,
        engine: str,
        is_own: bool,
        **network: Any,
    ) -> None:
        self._engine, self._is_own = engine, is_own
        self._listens = self._is_over = self._is_gone = False
        verb = "started" if is_own else "reached"
        self._driver = DriverProcess(driver, settings, f"{engine} cannot be {verb}")
        try:
            self.check_room(self._driver.ready, context.workers)
            super().__init__(context, **network)
        except BaseException:
            self._driver.close()
            self._driver.release()
            raise

    @abc.abstractmethod
    def check_room(self, ready: DriverReady, workers: int) -> None:
        """Warn if the engine has no room for so many workers.

        Raises:
            BackendError: If it will never have room for a job.
        """

    # -- what WorkerPool asks for -----------------------------------------------------------------

    def start_workers(self, names: Sequence[str]) -> None:
        """Have the driver start workers."""
        self._attend()
        self._driver.send(StartWorkers({name: self.worker_order(name) for name in names}))

    def end_workers(self, names: Sequence[str]) -> None:
        """Have the driver end workers."""
        if names:
            self._driver.send(EndWorkers(list(names)))

    def find_workers(self, keep: Collection[str]) -> Collection[str]:
        """Return the workers of an earlier controller that live; end all others of this study."""
        if self._is_own:
            return ()  # they have ended with the engine of their controller
        found = self._driver.find(keep)
        self._attend()
        if isinstance(found, DriverFailed):
            self._lose(found.reason)
            return ()
        return found.names

    def shut_down(self) -> None:
        """End all workers, and the driver."""
        self._attend()
        super().shut_down()
        self._is_over = True
        self._driver.close()
        self._driver.release()

    # -- the driver -------------------------------------------------------------------------------

    def _attend(self) -> None:
        """Listen to the driver from now on."""
        if not self._listens:
            self._listens = True
            self._driver.listen(
                lambda answer: self.post(partial(self._on_answer, answer)),
                lambda: self.post(self._on_end),
            )

    def _on_answer(self, answer: DriverAnswer) -> None:
        match answer:
            case WorkerEnded(name, reason):
                self.worker_ended(name, reason)
            case DriverFailed(reason):
                self._lose(reason)

    def _on_end(self) -> None:
        if not self._is_over:
            self._lose(self._driver.last_words())

    def _lose(self, reason: str) -> None:
        """Fail the study: the engine is gone."""
        if self._is_gone:
            return
        self._is_gone = True
        self.fail(
            BackendError(
                f"{self._engine} is gone or was restarted: {reason}; once it runs, resume the "
                "study: jobs that have ended with it are run again"
            )
        )
        for name in self.worker_names:
            self.worker_ended(name, f"{self._engine} is gone")
