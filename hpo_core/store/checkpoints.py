"""The checkpoints of a study's trials: a folder for each, which jobs write and later jobs find.

To copy one trial's checkpoints to another is done so that a controller that dies meanwhile leaves
either the old ones or the new ones: they are copied aside, the job that wants them is recorded,
and then they are put in place.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Container, Iterator
from pathlib import Path

from hpo_core.model.errors import StoreError

_log = logging.getLogger("hpo_core")

_ASIDE = ".for-job-"


class Checkpoints:
    """Where the checkpoints of a study's trials are.

    Args:
        root: The folder of all of them; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, trial_id: int) -> str:
        """Return the folder of a trial's checkpoints."""
        return f"{self._root}/{trial_id}"

    def copy_aside(self, source: int, job_id: str) -> None:
        """Copy a trial's checkpoints for a job of another trial; `put_in_place` comes next.

        Raises:
            StoreError: If that is not possible.
        """
        aside = self._aside(job_id)
        try:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(mode=0o700, parents=True)
            if os.path.isdir(self.folder(source)):
                shutil.copytree(self.folder(source), aside, dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise StoreError(
                f"cannot copy the checkpoints of trial {source} for job {job_id}: {error}"
            ) from error

    def put_in_place(self, job_id: str) -> None:
        """Replace the checkpoints of a job's trial by what was copied aside for it, if any was."""
        aside, folder = self._aside(job_id), self.folder(int(job_id.partition(".")[0]))
        if aside.exists():
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(aside, folder)

    def recover(self, recorded: Container[str]) -> None:
        """Finish what a controller that died had begun.

        Args:
            recorded: The ids of the jobs that are in the store.
        """
        for job_id in self.copies():
            if job_id in recorded:
                self.put_in_place(job_id)
            else:
                shutil.rmtree(self._aside(job_id), ignore_errors=True)

    def copies(self) -> Iterator[str]:
        """Yield the jobs for which checkpoints are still aside."""
        for entry in self._entries():
            if entry.name.startswith(_ASIDE):
                yield entry.name.removeprefix(_ASIDE)

    def trials(self) -> Iterator[int]:
        """Yield the trials that have a folder."""
        for entry in self._entries():
            if entry.name.isdecimal():
                yield int(entry.name)

    def delete(self, trial_id: int) -> None:
        """Delete a trial's checkpoints; say so if that is not possible."""
        try:
            shutil.rmtree(self.folder(trial_id))
        except FileNotFoundError:
            pass
        except OSError as error:
            _log.warning("the checkpoints of trial %d could not be deleted: %s", trial_id, error)

    def _aside(self, job_id: str) -> Path:
        return self._root / f"{_ASIDE}{job_id}"

    def _entries(self) -> list[Path]:
        return sorted(self._root.iterdir()) if self._root.is_dir() else []
