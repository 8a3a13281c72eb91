"""A WorkerPool on child processes keeps the contract of backends: `make integration-backend`."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import psutil

from hpo_core.plugin import Backend, BackendContext, RunningWorker, WorkerPool
from hpo_core.testing import BackendContract


class ChildPool(WorkerPool):
    """Workers that are children of this process, each waited for by a thread."""

    def __init__(self, context: BackendContext, reach: str = "") -> None:
        self._alive = os.path.join(context.folder or "", "alive")
        super().__init__(context, host="127.0.0.1", reach=reach, lock=self._alive)
        self._running: dict[str, RunningWorker] = {}

    def start_workers(self, names: Sequence[str]) -> None:
        for name in names:
            self._running[name] = running = RunningWorker(self.worker_order(name))
            threading.Thread(target=self._wait, args=(name, running), daemon=True).start()

    def end_workers(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self._running:
                self._running[name].end()

    def find_workers(self, keep: Collection[str]) -> Collection[str]:
        with open(self._alive, "a") as file:  # they end with the controller that started them
            fcntl.flock(file, fcntl.LOCK_EX)
        return ()

    def _wait(self, name: str, running: RunningWorker) -> None:
        reason = running.wait()
        self.post(partial(self.worker_ended, name, reason))


class TestFunctions(BackendContract):
    work = "function"
    quick_jobs = 200

    def make_backend(self, context: BackendContext) -> Backend:
        return ChildPool(context)

    def make_distant_backend(self, context: BackendContext, reach: str) -> Backend:
        return ChildPool(context, reach)

    def lose_worker(self, handle: Any) -> None:
        for process in psutil.process_iter(["cmdline"]):
            if handle["worker"] in (process.info["cmdline"] or ()):
                process.kill()


class TestCommands(TestFunctions):
    work = "command"
