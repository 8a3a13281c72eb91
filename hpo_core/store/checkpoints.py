"""The checkpoints of a study's trials: a folder for each, which jobs write and later jobs find.

Checkpoints are copied to another trial atomically, even if the controller dies meanwhile: they are
copied to a temporary folder, the job that needs them is recorded, and then the copy is moved into
place.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Container, Iterator
from functools import partial
from pathlib import Path

from hpo_core.model.errors import HpoError, StoreError
from hpo_core.store.remote import Remote
from hpo_core.store.snapshot import copy_folder

_log = logging.getLogger("hpo_core")

_ASIDE = ".for-job-"
_OLD = ".before-job-"
_FETCHED = ".fetched-"
_TO_STORE = ".to-store-"
_AT = ".at-"


class CopyError(HpoError):
    """A trial's checkpoints could not be copied; the job that needs them fails."""


class Checkpoints:
    """The checkpoints of a study's trials.

    Args:
        root: The parent folder; it need not exist.
        remote: Where they are stored in addition; None for nowhere.
    """

    def __init__(self, root: Path, remote: Remote | None = None) -> None:
        self._root = root
        self.remote = remote
        self._required: dict[int, HpoError] = {}  # what it means if a trial has none at the address

    def folder(self, trial_id: int) -> str:
        """Return the folder of a trial's checkpoints."""
        return f"{self._root}/{trial_id}"

    def copy_aside(self, source: int, job_id: str) -> list[str]:
        """Copy a trial's checkpoints for a job of another trial, to be moved by `put_in_place`.

        A job of the source may write meanwhile; the copy is a consistent snapshot.

        Returns:
            Descriptions of what was left out, see `hpo_core.store.snapshot.copy_folder`.

        Raises:
            CopyError: If this fails.
        """
        aside = self._aside(job_id)
        try:
            self.fetch(source)
            shutil.rmtree(aside, ignore_errors=True)
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.path.lexists(self.folder(source)):
                return copy_folder(self.folder(source), str(aside))
            aside.mkdir(mode=0o700)
            return []
        except (OSError, RecursionError) as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise CopyError(
                f"cannot copy the checkpoints of trial {source} for job {job_id}: {error}"
            ) from error

    def put_in_place(self, job_id: str) -> None:
        """Replace the checkpoints of a job's trial by the copy made for it, if any.

        Raises:
            StoreError: If that is not possible.
        """
        aside, folder = self._aside(job_id), Path(self.folder(int(job_id.partition(".")[0])))
        if not aside.exists():
            return
        try:
            if self.remote is not None:
                self.remote.wait(int(folder.name))
                self._mark(int(folder.name), int(job_id.partition(".")[2]))
            if os.path.lexists(folder):
                old = self._root / f"{_OLD}{job_id}"
                _remove(old)
                os.replace(folder, old)  # atomic, whatever it is or contains
                os.replace(aside, folder)
                _remove(old)
            else:
                os.replace(aside, folder)
        except OSError as error:
            raise StoreError(
                f"cannot put the checkpoints for job {job_id} into {folder}: {error.strerror}"
            ) from error

    def recover(self, recorded: Container[str]) -> None:
        """Complete what a dead controller had started.

        Args:
            recorded: The ids of the jobs that are in the store.
        """
        for entry in self._entries():
            if entry.name.startswith(_OLD):
                _remove(entry)
        for job_id in self.copies():
            if job_id in recorded:
                self.put_in_place(job_id)
            else:
                shutil.rmtree(self._aside(job_id), ignore_errors=True)

    def copies(self) -> Iterator[str]:
        """Yield the jobs whose copied checkpoints are not yet in place."""
        for entry in self._entries():
            if entry.name.startswith(_ASIDE):
                yield entry.name.removeprefix(_ASIDE)

    def trials(self) -> Iterator[int]:
        """Yield the trials that have a folder."""
        for entry in self._entries():
            if entry.name.isdecimal():
                yield int(entry.name)

    def delete(self, trial_id: int) -> None:
        """Delete a trial's checkpoints; log a warning if this fails.

        Those at an address are deleted in a thread, after the trial's transfers; then the folder.
        """
        if self.remote is None:
            self._delete_folder(trial_id)
        else:
            self.remote.delete_later(trial_id, partial(self._delete_folder, trial_id))

    def _delete_folder(self, trial_id: int) -> None:
        try:
            shutil.rmtree(self.folder(trial_id))
        except FileNotFoundError:
            pass
        except OSError as error:
            _log.warning("the checkpoints of trial %d could not be deleted: %s", trial_id, error)

    def require(self, trial_id: int, otherwise: HpoError) -> None:
        """Check that a trial has checkpoints: here now, or at the address when they are fetched.

        The address is not asked here, since that may take long.

        Raises:
            HpoError: `otherwise`, if it has none; in the latter case `fetch` raises it.
        """
        if os.path.isdir(self.folder(trial_id)):
            return
        if self.remote is None:
            raise otherwise
        self._required[trial_id] = otherwise

    # -- at an address ----------------------------------------------------------------------------

    def fetch(self, trial_id: int) -> None:
        """Replace a trial's folder by its stored state, if that is newer, or there is no folder.

        Raises:
            CopyError: If this fails.
            HpoError: If there is none, and `require` was told so.
        """
        if self.remote is None:
            return
        folder = Path(self.folder(trial_id))
        required = self._required.get(trial_id)
        try:
            latest = self.remote.latest(trial_id)
            if required is not None and not latest and not folder.is_dir():
                raise required
            self._required.pop(trial_id, None)
            if latest > self._marked(trial_id) or (latest and not folder.is_dir()):
                aside = self._root / f"{_FETCHED}{trial_id}"
                self.remote.fetch(trial_id, latest, aside)
                _remove(folder)
                os.replace(aside, folder)
                self._mark(trial_id, latest)
        except Exception as error:  # a file system of fsspec may raise anything
            if error is required:
                raise
            raise CopyError(
                f"cannot fetch the checkpoints of trial {trial_id}: {type(error).__name__}: {error}"
            ) from error

    def expect_to_store(self, job_id: str) -> None:
        """Register that a job's checkpoints are to be stored, even after a crash."""
        if os.path.isdir(self.folder(int(job_id.partition(".")[0]))):
            (self._root / f"{_TO_STORE}{job_id}").touch()

    def expected(self) -> Iterator[str]:
        """Yield the jobs whose checkpoints are to be stored."""
        for entry in self._entries():
            if entry.name.startswith(_TO_STORE):
                yield entry.name.removeprefix(_TO_STORE)

    def store(self, job_id: str) -> None:
        """Store the checkpoints that a job has left; log a warning if this fails."""
        trial_id, number = map(int, job_id.split("."))
        folder, expected = Path(self.folder(trial_id)), self._root / f"{_TO_STORE}{job_id}"
        try:
            if self.remote is not None and expected.exists() and folder.is_dir():
                self.remote.store(trial_id, number, folder)
                self._mark(trial_id, number)
            expected.unlink(missing_ok=True)
        except Exception as error:  # noqa: BLE001  # a file system of fsspec may raise anything
            _log.warning(
                "the checkpoints of job %s could not be stored (%s: %s); they are stored when the "
                "study is resumed, or with those of the trial's next job",
                job_id,
                type(error).__name__,
                error,
            )

    def _marked(self, trial_id: int) -> int:
        """Return the number of the job whose stored state a folder goes back to; 0 for none."""
        try:
            return int((self._root / f"{_AT}{trial_id}").read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def _mark(self, trial_id: int, number: int) -> None:
        new = self._root / f"{_AT}{trial_id}.new"
        new.write_text(str(number))
        os.replace(new, self._root / f"{_AT}{trial_id}")

    def _aside(self, job_id: str) -> Path:
        return self._root / f"{_ASIDE}{job_id}"

    def _entries(self) -> list[Path]:
        return sorted(self._root.iterdir()) if self._root.is_dir() else []


def _remove(path: Path) -> None:
    """Delete a folder as far as possible, or a link or file in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
