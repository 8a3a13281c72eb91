"""A study's files beside its store: logs, checkpoints, its controller's lock and control pipe.

The lock is the kernel's (flock): it is gone when the controller is, however it ended. POSIX only.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_core.model.errors import StoreError, StudyRunning
from hpo_core.model.text import is_good_name
from hpo_core.store.anchor import Anchor
from hpo_core.store.checkpoints import Checkpoints
from hpo_core.store.connection import MEMORY

if TYPE_CHECKING:
    import tempfile

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
"""Nothing is written where a link leads that somebody has planted in the folder."""


class StudyFolder:
    """The folder of one study: ``hpo.files/NAME`` beside ``hpo.db``.

    Args:
        store: The store's path; for a store in memory the folder is temporary.
        study: The study's name.

    Raises:
        StoreError: If the name is none that a study may have: it could lead elsewhere.
    """

    def __init__(self, store: str, study: str) -> None:
        if not is_good_name(study):
            raise StoreError(
                f"the store {store} has been changed: {study!r} is not a good name for a study"
            )
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if store == MEMORY:
            import tempfile

            self._store: Path | None = None
            self._temporary = tempfile.TemporaryDirectory(prefix="hpo-")
            self.path = Path(self._temporary.name)
        else:
            self._store = file = Path(store).resolve()
            self.path = file.with_name(f"{file.stem}.files") / study

    def log(self, job_id: str) -> str:
        """Return the path of a job's log."""
        return f"{self.path}/logs/{job_id}.log"

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the study's trials."""
        return Checkpoints(self.path / "checkpoints")

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
                "keep the store in a folder of your own"
            )

    def remove_temporary(self) -> None:
        """Remove the folder, if it belongs to a store in memory."""
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def _lock(self) -> Path:
        return self.path / "lock"

    @property
    def _control(self) -> Path:
        return self.path / "control"


class ControllerLock:
    """Held by the one controller of a study, from when it is made until `release`.

    Attributes:
        anchor: Tells whether its file is still there: else it keeps nobody away.

    Raises:
        StudyRunning: If another controller holds it.
        StoreError: If it can't be made.
    """

    def __init__(self, folder: StudyFolder) -> None:
        folder.make()
        try:
            self._descriptor = os.open(folder._lock, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)
        except OSError as error:
            raise StoreError(f"cannot lock {folder._lock}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise StudyRunning(
                f"the study {folder.path.name!r} is being run by process {process}; wait for it, "
                f"or end it with: hpo stop {folder.path.name}"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        self.anchor = Anchor(folder._lock, f"the study's folder {folder.path}")

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._descriptor)


def is_running(folder: StudyFolder) -> bool:
    """Say whether a controller holds the study's lock.

    Raises:
        StoreError: If that can't be found out.
    """
    try:
        descriptor = _open_lock(folder)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_until_released(folder: StudyFolder) -> None:
    """Wait until no controller holds the study's lock; the kernel wakes us."""
    descriptor = _open_lock(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _open_lock(folder: StudyFolder) -> int:
    try:
        return os.open(folder._lock, os.O_RDONLY | _NO_LINK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot look at the lock {folder._lock}: {error.strerror}") from error


class ControlPipe:
    """A named pipe through which other processes reach a study's controller.

    Args:
        folder: The study's folder.
        on_word: Called with each word that arrives (``stop``, ``wake``), on a thread of its own.

    Raises:
        StoreError: If it can't be made there.
    """

    def __init__(self, folder: StudyFolder, on_word: Callable[[str], None]) -> None:
        self._path = folder._control
        try:
            self._path.unlink(missing_ok=True)
            os.mkfifo(self._path, 0o600)
            self._descriptor = os.open(self._path, os.O_RDWR)  # both ends: never an end of file
        except OSError as error:
            raise StoreError(
                f"cannot make the named pipe {self._path}: {error.strerror}; keep the store on a "
                "file system of this machine"
            ) from error
        self._on_word = on_word
        self._thread = threading.Thread(target=self._listen, name="hpo-control", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            for word in os.read(self._descriptor, 4096).decode(errors="replace").split():
                if word == "close":
                    return
                self._on_word(word)

    def close(self) -> None:
        """Stop listening and remove the pipe."""
        os.write(self._descriptor, b"close\n")
        if self._thread is not threading.current_thread():
            self._thread.join()
        os.close(self._descriptor)
        self._path.unlink(missing_ok=True)


def send(folder: StudyFolder, word: str) -> bool:
    """Send a word to the study's controller; return False if there is none."""
    try:
        descriptor = os.open(folder._control, os.O_WRONLY | os.O_NONBLOCK | _NO_LINK)
    except OSError:
        return False  # no pipe, or nobody who reads it
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return False
        os.write(descriptor, f"{word}\n".encode())
    finally:
        os.close(descriptor)
    return True
