"""A study's files beside its store: logs, checkpoints, journals, its controller's lock and pipe."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_core.model.errors import StoreError
from hpo_core.model.text import is_good_name
from hpo_core.store.checkpoints import Checkpoints
from hpo_core.store.database import MEMORY
from hpo_core.store.remote import Remote
from hpo_core.store.snapshot import copy_folder

if TYPE_CHECKING:
    import tempfile

_IS_UID = re.compile(r"[0-9a-f]{32}").fullmatch

_LOGS, _CHECKPOINTS, _JOURNALS = "logs", "checkpoints", "backend"


class StudyFolder:
    """The folder of one study: ``hpo.files/UID`` beside ``hpo.db``.

    Args:
        store: The store's path; for a store in memory the folder is temporary.
        name: The study's name.
        uid: The study's uid.
        earlier: The folder's name if the study was created under schema 1 (its name, which studies
            of other stores could share); see `move`. Otherwise "".

    Raises:
        StoreError: If a name or the uid is invalid, since the path could lead elsewhere.
    """

    def __init__(self, store: str, name: str, uid: str, earlier: str = "") -> None:
        for text in filter(None, (name, earlier)):
            if not is_good_name(text):
                raise StoreError(
                    f"the store {store} has been changed: {text!r} is not a valid study name"
                )
        if not _IS_UID(uid):
            raise StoreError(f"the store {store} has been changed: {uid!r} is not a study's uid")
        self.name = name
        self._uid = uid
        self._earlier: Path | None = None
        self._checkpoints: Checkpoints | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if store == MEMORY:
            import tempfile

            self._store: Path | None = None
            self._temporary = tempfile.TemporaryDirectory(prefix="hpo-")
            self._own = Path(self._temporary.name)
        else:
            self._store = file = Path(store).resolve()
            root = file.with_name(f"{file.stem}.files")
            self._own = root / uid
            if earlier:
                self._earlier = root / earlier

    @property
    def path(self) -> Path:
        """The path of the folder."""
        if self._earlier is not None and not self._own.exists():
            return self._earlier
        return self._own

    def instance(self) -> str:
        """Return the id of the study's processes and journals, which a copy does not share.

        It is derived from the folder's inode, which is kept by a move but not by a copy: processes
        of a study do not belong to a copy of its folder.
        """
        status = self.path.stat()
        return f"{self._uid}-{status.st_dev:x}-{status.st_ino:x}"

    def journals(self) -> Path:
        """Return the folder in which the backend stores what it needs to find its jobs again."""
        return self.path / f"{_JOURNALS}{self.instance().removeprefix(self._uid)}"

    def remove_foreign_journals(self) -> bool:
        """Remove the journals of the original, if this folder is a copy.

        Returns:
            Whether there were any journals.
        """
        foreign = [
            entry
            for entry in self.path.iterdir()
            if entry.name.startswith(_JOURNALS) and entry != self.journals()
        ]
        for entry in foreign:
            shutil.rmtree(entry)
        return bool(foreign)

    @property
    def uid_of_schema_1(self) -> str | None:
        """The mark of the study's processes started under schema 1, shared by copies.

        None if the folder already has its new name: then there are no such processes.
        """
        return None if self._earlier is None else self._uid

    def move(self) -> None:
        """Rename the folder to the uid, if it still has its name of schema 1."""
        if self._earlier is not None and self._earlier.is_dir() and not self._own.exists():
            shutil.rmtree(self._earlier / _JOURNALS, ignore_errors=True)
            self._earlier.rename(self._own)

    def log(self, job_id: str) -> str:
        """Return the path of a job's log."""
        return f"{self.path}/{_LOGS}/{job_id}.log"

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the study's trials."""
        return self._checkpoints or Checkpoints(self.path / _CHECKPOINTS)

    def keep_checkpoints_at(self, address: str) -> None:
        """Keep checkpoints in another folder, or store them at an address of fsspec.

        Args:
            address: The path of a folder that studies may share, or an address such as
                ``s3://bucket``.

        Raises:
            InvalidInput: If the address cannot be used.
        """
        if "://" in address:
            remote = Remote(address, self._uid)
            self._checkpoints = Checkpoints(self.path / _CHECKPOINTS, remote)
        else:
            self._checkpoints = Checkpoints(Path(address) / self._uid)

    def copy_files(self, to: StudyFolder) -> list[str]:
        """Copy logs and checkpoints, consistent for each trial, to the folder of a copy of the
        study.

        Returns:
            Descriptions of what was left out: sockets, and links that point outside of their
            folder.

        Raises:
            StoreError: If this fails.
        """
        left_out = []
        try:
            for kind in (_LOGS, _CHECKPOINTS):
                shutil.rmtree(to.path / kind, ignore_errors=True)
                to.path.joinpath(kind).mkdir(mode=0o700)
            for name in self._names(_LOGS):
                with suppress(FileNotFoundError):  # the job printed nothing
                    shutil.copy2(self.path / _LOGS / name, to.path / _LOGS, follow_symlinks=False)
            for name in self._names(_CHECKPOINTS):
                source = self.path / _CHECKPOINTS / name
                try:
                    left_out += copy_folder(str(source), str(to.path / _CHECKPOINTS / name))
                except OSError:
                    if os.path.lexists(source):
                        raise
        except (OSError, RecursionError) as error:
            raise StoreError(f"cannot copy the files of {self.path}: {error}") from error
        return left_out

    def _names(self, kind: str) -> list[str]:
        try:
            return sorted(os.listdir(self.path / kind))
        except FileNotFoundError:
            return []

    def delete(self) -> None:
        """Delete the folder and its content.

        Raises:
            StoreError: If that is not possible.
        """
        try:
            shutil.rmtree(self.path)
            with suppress(OSError):  # not empty
                self.path.parent.rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreError(f"cannot delete the folder {self.path}: {error}") from error

    def make(self) -> None:
        """Create the folder, accessible only to the user.

        Raises:
            StoreError: If this fails.
        """
        try:
            for folder in (self.path.parent, self.path):
                folder.mkdir(mode=0o700, exist_ok=True)
                self._check_owner(folder)
        except OSError as error:
            raise StoreError(f"cannot make the folder {self.path}: {error.strerror}") from error

    def _check_owner(self, folder: Path) -> None:
        """Check that a folder belongs to the current user or to the store's owner.

        Another owner could plant links that redirect the output of jobs.
        """
        owner = folder.stat().st_uid
        trusted = {os.getuid(), 0}
        if self._store is not None and self._store.exists():
            trusted.add(self._store.stat().st_uid)
        if owner not in trusted:
            raise StoreError(
                f"the folder {folder} belongs to another user ({owner}), and the store does not; "
                "keep the store in your own folder"
            )

    def remove_temporary(self) -> None:
        """Remove the folder of a store in memory."""
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def lock(self) -> Path:
        """The file that the controller holds locked."""
        return self.path / "lock"

    @property
    def control(self) -> Path:
        """The named pipe that the controller listens to."""
        return self.path / "control"
