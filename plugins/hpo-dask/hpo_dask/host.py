"""In a Dask worker's process: runs workers of studies as children of that process.

`serve` is the Dask task that runs a worker. The other functions are called through
``Client.run``. All of them use the `Host` of the Dask worker.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from hpo_core.plugin import RunningWorker
from hpo_dask.code import digest, unpack
from hpo_dask.devices import Devices, NoDevice, visible

NAME = "hpo-dask"
"""The name of the plugin of a Dask worker that is its `Host`."""


def topic(study: str) -> str:
    """Return the Dask topic under which workers of a study are reported on."""
    return f"hpo-{study}"


class _Running(NamedTuple):
    study: str
    worker: RunningWorker


class Host(WorkerPlugin):  # type: ignore[misc]  # distributed may not be installed
    """Runs workers in a Dask worker's process, each in a thread of it, and ends with it."""

    def setup(self, worker: Any) -> None:
        """Begin."""
        self._worker = worker
        self._lock, self._unpacking = Lock(), Lock()
        self._running: dict[str, _Running] = {}
        self._withdrawn: set[str] = set()
        self._is_over = False
        self._offers = float(worker.state.total_resources.get("GPU", 0))
        self._devices = Devices(visible()[: round(self._offers)])

    def teardown(self, worker: Any) -> None:
        """End all workers: the Dask worker is closed."""
        with self._lock:
            self._is_over = True
        self.end(list(self._running))

    def run(self, name: str, study: str, order: str, gpus: float, code: bytes | None) -> str:
        """Run a worker to its end, and return why it has ended.

        Raises:
            RuntimeError: If the Dask worker has fewer GPUs than it offers.
        """
        try:
            with self._devices.lent(gpus) as variables:
                return self._run(name, study, order, self._folder(code), variables)
        except NoDevice:
            raise RuntimeError(
                f"the Dask worker {self._worker.address} offers GPU={self._offers:g}, and has "
                f"{len(visible())} in CUDA_VISIBLE_DEVICES; start it with one device there for "
                "each GPU that it offers"
            ) from None

    def end(self, names: Sequence[str]) -> list[str]:
        """Have workers end immediately; return those that run here."""
        with self._lock:
            here = [name for name in names if name in self._running]
            for name in here:
                self._running[name].worker.end()
        return here

    def withdraw(self, names: Sequence[str]) -> list[str]:
        """Do as `end`, and never start those that do not run here."""
        with self._lock:
            self._withdrawn.update(name for name in names if name not in self._running)
        return self.end(names)

    def names(self, study: str) -> list[str]:
        """Return the workers of a study that run here."""
        with self._lock:
            return [name for name, running in self._running.items() if running.study == study]

    def _run(
        self, name: str, study: str, order: str, folder: str | None, variables: dict[str, str]
    ) -> str:
        with self._lock:
            if self._is_over or name in self._withdrawn:
                self._withdrawn.discard(name)
                return ""
            running = RunningWorker(order, folder, variables)
            self._running[name] = _Running(study, running)
        self._worker.log_event(topic(study), ["begun", name, self._worker.address])
        why = "its Dask worker has failed to run it"
        try:
            why = running.wait()
        finally:
            with self._lock:
                del self._running[name]
            self._worker.log_event(topic(study), ["over", name, why])
        return why

    def _folder(self, code: bytes | None) -> str | None:
        """Unpack the folder of the jobs, and return where it is."""
        if code is None:
            return None
        folder = os.path.join(self._worker.local_directory, f"hpo-{digest(code)}")
        with self._unpacking:
            unpack(code, folder)
        return folder


async def _host(worker: Any) -> Host:
    """Return the host of a Dask worker; make it if there is none."""
    if NAME not in worker.plugins:
        await worker.plugin_add(plugin=Host(), name=NAME, catch_errors=False)
    host: Host = worker.plugins[NAME]
    return host


def serve(name: str, study: str, order: str, gpus: float, code: bytes | None) -> str:
    """Run a worker to its end, and return why it has ended: the Dask task.

    Args:
        name: Its name.
        study: The unique id of its study.
        order: Its order.
        gpus: Number of its GPUs, or its share of one.
        code: The folder of its jobs as an archive; None if they run in that of the controller.
    """
    worker = get_worker()
    host = asyncio.run_coroutine_threadsafe(_host(worker), worker.loop.asyncio_loop).result()
    return host.run(name, study, order, gpus, code)


def keep(archive: bytes) -> bytes:
    """Return an archive: the Dask task on which workers depend."""
    return archive


async def end(names: list[str], dask_worker: Any) -> list[str]:
    """Have workers end immediately; return those that run here."""
    return (await _host(dask_worker)).end(names)


async def withdraw(names: list[str], dask_worker: Any) -> list[str]:
    """Have workers end immediately or never start; return those that run here."""
    return (await _host(dask_worker)).withdraw(names)


async def running(study: str, dask_worker: Any) -> list[str]:
    """Return the workers of a study that run here."""
    return (await _host(dask_worker)).names(study)
