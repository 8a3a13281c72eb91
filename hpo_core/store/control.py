"""The lock of a study's controller, and the named pipe by which others reach it. POSIX only.

The lock is the kernel's (flock): it is released when the controller ends, for any reason.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

from hpo_core.model.errors import StoreError, StudyRunning
from hpo_core.store.folder import StudyFolder
from hpo_core.store.required_file import RequiredFile

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
"""Links are not followed: somebody may have planted one in the folder."""


class ControllerLock:
    """The lock of a study's controller, held from construction until `release`.

    Raises:
        StudyRunning: If another controller holds it.
        StoreError: If it cannot be created.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._descriptor = _locked(folder)
        while not _is_at(folder.lock, self._descriptor):  # the folder was moved meanwhile
            os.close(self._descriptor)
            self._descriptor = _locked(folder)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def required_file(self) -> RequiredFile:
        """Return a check that the lock's file still exists; without it, the lock has no effect."""
        return RequiredFile(self._folder.lock, f"the study's folder {self._folder.path}")

    def release(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


def _locked(folder: StudyFolder) -> int:
    """Return a descriptor that holds the lock."""
    folder.make()
    try:
        descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)
    except OSError as error:
        raise StoreError(f"cannot lock {folder.lock}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise StudyRunning(
            f"the study {folder.name!r} is being run by process {process}; wait for it, "
            f"or end it with: hpo stop {folder.name}"
        ) from None
    return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether an open file is at a path."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def is_running(folder: StudyFolder) -> bool:
    """Return whether a controller holds the study's lock.

    Raises:
        StoreError: If this cannot be determined.
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
    """Wait until no controller holds the study's lock. Woken by the kernel."""
    descriptor = _open_lock(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _open_lock(folder: StudyFolder) -> int:
    try:
        return os.open(folder.lock, os.O_RDONLY | _NO_LINK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot look at the lock {folder.lock}: {error.strerror}") from error


class ControlPipe:
    """A named pipe with which other processes send messages to a study's controller.

    Args:
        folder: The study's folder.
        on_word: Called with each message (``stop``, ``wake``), on its own thread.

    Raises:
        StoreError: If it cannot be created there.
    """

    def __init__(self, folder: StudyFolder, on_word: Callable[[str], None]) -> None:
        self._path = folder.control
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
    """Send a message to the study's controller; return False if no controller runs it."""
    try:
        descriptor = os.open(folder.control, os.O_WRONLY | os.O_NONBLOCK | _NO_LINK)
    except OSError:
        return False  # no pipe, or no reader
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return False
        os.write(descriptor, f"{word}\n".encode())
    finally:
        os.close(descriptor)
    return True
