"""The files of a study's jobs: their orders and records, where jobs can read and write them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from hpo_core.backends.remote.endpoint import Endpoint, write_private
from hpo_core.backends.remote.order import JobOrder, order_of
from hpo_core.backends.remote.remote_job import RemoteJob
from hpo_core.client import make_folder
from hpo_core.model.job import Job


class JobFiles:
    """The folder of a study's backend.

        FOLDER/endpoint.json      how jobs reach the controller
        FOLDER/orders/JOB.json    what an agent is to do
        FOLDER/spools/JOB         what an agent has to say

    Args:
        folder: The folder; None if the study has none.
        is_shared: Whether jobs can read and write it.

    Attributes:
        folder: The folder; ``""`` if there is none.
        shared: The folder if jobs share it; else ``""``.
    """

    def __init__(self, folder: str | None, *, is_shared: bool) -> None:
        self.folder = "" if folder is None else os.path.abspath(folder)
        self.shared = self.folder if is_shared else ""

    @property
    def endpoint(self) -> str:
        """The file that says how jobs reach the controller; ``""`` if there is no folder."""
        return os.path.join(self.folder, "endpoint.json") if self.folder else ""

    def earlier_endpoint(self) -> Endpoint | None:
        """Return how jobs have reached an earlier controller; None if that is not known."""
        return Endpoint.read(self.endpoint) if self.folder else None

    def spool(self, job_id: str) -> str:
        """Return the file of a job's records; ``""`` if the controller cannot read them."""
        return os.path.join(self.shared, "spools", job_id) if self.shared else ""

    def remote(self, job: Job) -> RemoteJob:
        """Return a job with its spool."""
        have = 0 if job.handle is None else 1 + job.reports
        return RemoteJob(job, self.spool(job.id), have)

    def write(self, order: JobOrder) -> str:
        """Write an order into the shared folder, and return the file."""
        path = self._order(order.job_id)
        make_folder(os.path.dirname(path))
        write_private(path, order.text.encode())
        return path

    def withdraw(self, job_id: str) -> None:
        """Remove the order of a job that is not to begin, should an engine still try it."""
        if self.shared:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._order(job_id))

    def ordered_worker(self, job_id: str) -> int:
        """Return the number of the worker in the order of an earlier controller."""
        try:
            return order_of(Path(self._order(job_id)).read_bytes()).worker
        except (OSError, ValueError):  # it has ended: its number is free soon
            return 0

    def _order(self, job_id: str) -> str:
        return os.path.join(self.shared, "orders", f"{job_id}.json")
