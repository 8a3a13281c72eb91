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
        earlier: The folder's name for a study that began under schema 1 (its name then, which
            studies of other stores could share); see `move`. Else "".

    Raises:
        StoreError: If a name or the uid is invalid: it could lead elsewhere.
    """

    def __init__(self, store: str, name: str, uid: str, earlier: str = "") -> None:
        for text in filter(None, (name, earlier)):
            if not is_good_name(text):
                raise StoreError(
                    f"the store {store} has been changed: {text!r} is not a good name for a study"
                )
        if not _IS_UID(uid):
            raise StoreError(f"the store {store} has been changed: {uid!r} is not a study's uid")
        self.name = name
        self._uid = uid
        self._earlier: Path | None = None
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
        """Where the folder is."""
        if self._earlier is not None and not self._own.exists():
            return self._earlier
        return self._own

    def instance(self) -> str:
        """Return what identifies the study's processes and journals: none of a copy has it.

        It is made of the folder's place on its file system, which a move keeps, and no copy gets:
        what runs for a study does not run for a copy of its folder.
        """
        status = self.path.stat()
        return f"{self._uid}-{status.st_dev:x}-{status.st_ino:x}"

    def journals(self) -> Path:
        """Return the folder in which the backend keeps what it needs to find its jobs again."""
        return self.path / f"{_JOURNALS}{self.instance().removeprefix(self._uid)}"

    def remove_foreign_journals(self) -> bool:
        """Remove the journals of another instance, of which this folder is a copy.

        Returns:
            Whether there were any.
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
        """What processes of the study carry if schema 1 began them, whoever's copy this is.

        None if the folder has its own name already: there are none then.
        """
        return None if self._earlier is None else self._uid

    def move(self) -> None:
        """Give the folder the name of the uid, if it still has the one of schema 1."""
        if self._earlier is not None and self._earlier.is_dir() and not self._own.exists():
            shutil.rmtree(self._earlier / _JOURNALS, ignore_errors=True)
            self._earlier.rename(self._own)

    def log(self, job_id: str) -> str:
        """Return the path of a job's log."""
        return f"{self.path}/{_LOGS}/{job_id}.log"

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the study's trials."""
        return Checkpoints(self.path / _CHECKPOINTS)

    def copy_files(self, to: StudyFolder) -> list[str]:
        """Copy logs and checkpoints, each trial's whole, into the folder of a copy of the study.

        Returns:
            What was left out, in words: sockets, and links that lead out of their folder.

        Raises:
            StoreError: If that is not possible.
        """
        left_out = []
        try:
            for kind in (_LOGS, _CHECKPOINTS):
                shutil.rmtree(to.path / kind, ignore_errors=True)
                to.path.joinpath(kind).mkdir(mode=0o700)
            for name in self._names(_LOGS):
                with suppress(FileNotFoundError):  # the log of a job that printed nothing
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
        """Delete the folder with all that is in it.

        Raises:
            StoreError: If that is not possible.
        """
        try:
            shutil.rmtree(self.path)
            with suppress(OSError):  # there are others in it
                self.path.parent.rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreError(f"cannot delete the folder {self.path}: {error}") from error

    def make(self) -> None:
        """Make the folder, for its user alone.

        Raises:
            StoreError: If that is not possible.
        """
        try:
            for folder in (self.path.parent, self.path):
                folder.mkdir(mode=0o700, exist_ok=True)
                self._check_owner(folder)
        except OSError as error:
            raise StoreError(f"cannot make the folder {self.path}: {error.strerror}") from error

    def _check_owner(self, folder: Path) -> None:
        """See that a folder was not put there by somebody who is neither us nor the store's owner.

        They could plant links in it, through which jobs' output would go elsewhere.
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
        """Remove the folder, if it belongs to a store in memory."""
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
