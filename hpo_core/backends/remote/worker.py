"""An agent that runs one job after the other, as the controller sends them.

``python -m hpo_core.backends.remote.worker NAME`` reads a `WorkerOrder` from its standard input,
and ends with its job once that is closed: its parent has ended. It also ends if the controller says
so, and if the controller is gone for good. Then it prints why.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import msgspec

from hpo_core.backends.remote.agent import Agent, become, first_line
from hpo_core.backends.remote.order import JobOrder
from hpo_core.backends.remote.spool import SpoolWriter


class WorkerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that a worker needs to run the jobs of a study.

    Attributes:
        name: The worker's name.
        order: The order of each job, with a job that is to be replaced.
        folder: The study's folder at the controller; ``""`` if it has none.
        lock: A file that the worker locks while it lives; ``""`` for none.
    """

    name: str
    order: JobOrder
    folder: str = ""
    lock: str = ""


class Worker(Agent):
    """Runs jobs, one at a time, with one instance of the backend `local`.

    Args:
        order: The order.
        spools: A folder for the records of jobs.
    """

    def __init__(self, order: WorkerOrder, spools: str) -> None:
        self._spools = spools
        self._sees_folder = bool(order.folder) and os.path.exists(
            os.path.join(order.folder, "endpoint.json")
        )
        self._has_job = self._is_new = self._was_joined = False
        super().__init__(order.order, self._new_spool(), order.name, has_lifeline=True)

    def run(self) -> None:
        """Run jobs until there are no more."""
        self._loop.later("joined", self._order.patience, self._check_joined)
        self._client.connect()
        while not self._is_over:
            if self._is_new:
                self._is_new = False
                self._run_job()
                self._has_job = self._is_new  # the next one comes with the last answer
            else:
                self._loop.run(None)
        self._client.close()
        if self._backend is not None:
            self._backend.close()

    @property
    def why(self) -> str:
        """The reason why it has ended."""
        if not self._was_joined:
            return f"it cannot reach the controller: {self._client.why}"
        return "its machine has ended it by a signal" if self._signalled else ""

    @property
    def _is_over(self) -> bool:
        return self._signalled or self._unwanted

    def _new_spool(self) -> SpoolWriter:
        path = os.path.join(self._spools, "spool")
        spool = SpoolWriter(path)
        os.unlink(path)
        return spool

    def _release(self) -> None:
        """Keep the backend for the next job."""

    def _joined(self) -> None:
        self._was_joined = True
        job_id = self._order.job_id if self._has_job else None
        about = {"host": self._host, "sees_folder": self._sees_folder}
        self._client.send(msgspec.json.encode(["worker", job_id, about]))

    def _check_joined(self) -> None:
        if not self._was_joined:
            self._give_up()
            self._loop.interrupt()

    def _hear(self, message: list[Any]) -> None:
        match message:
            case ["run", dict(job)]:
                self._spool.close()
                order = msgspec.structs.replace(self._order, job=job)
                self._begin(order, self._new_spool())
                self._has_job = self._is_new = True
        super()._hear(message)

    def _wait_for_the_controller(self) -> None:
        while self._answered < self._spool.count and not self._unwanted:
            self._loop.run(None)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold a shared lock on a file; none if the path is empty."""
    if not path:
        yield
        return
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def main() -> int:
    """Read an order from standard input, and run the jobs that the controller sends."""
    line = first_line()
    if not line:
        return 0
    order = msgspec.convert(msgspec.json.decode(line), WorkerOrder)
    become(order.order)
    with locked(order.lock), tempfile.TemporaryDirectory(prefix="hpo-") as spools:
        worker = Worker(order, spools)
        worker.run()
    with contextlib.suppress(BrokenPipeError):  # its parent has ended
        os.write(1, worker.why.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
