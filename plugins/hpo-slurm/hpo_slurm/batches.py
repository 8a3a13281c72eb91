"""Which jobs of the study are which Slurm jobs, in files that outlive the controller.

A batch is written before it is submitted. Its name is that of its first job, which is unique in a
study. The comment of each Slurm job has it, so that jobs are found again whose ids were never read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

BATCHES = "batches"


class Batches:
    """The batches of a study.

    Args:
        folder: The folder that they are kept in.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, BATCHES)
        self._known: dict[str, list[str]] = {}

    def write(self, job_ids: Sequence[str]) -> str:
        """Write a batch; return its name."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        path = os.path.join(self._folder, f"{job_ids[0]}.json")
        beside = f"{path}.new"
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(list(job_ids), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        self._known[job_ids[0]] = list(job_ids)
        return job_ids[0]

    def job_id(self, batch: str, index: int) -> str | None:
        """Return which job of the study an element of a batch is; None if it is not known."""
        if batch not in self._known:
            try:
                path = os.path.join(self._folder, f"{os.path.basename(batch)}.json")
                with open(path, encoding="utf-8") as file:
                    self._known[batch] = [str(job_id) for job_id in json.load(file)]
            except (OSError, ValueError):
                self._known[batch] = []
        members = self._known[batch]
        return members[index] if index < len(members) else None
