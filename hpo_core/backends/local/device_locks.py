"""Locks by which the studies of one user on this machine never use the same GPU.

For each GPU there are two files in a folder of the user. Whoever has the lock of the first one uses
the GPU, and has written there who it is. The supervisor of jobs inherits the locks: they last as
long as its jobs, also after the death of its controller, and end with its process. The second file
is locked together with the first one, and is what others wait for.

    FOLDER/gate           locked while the lock of a GPU is taken, and its file is written or read
    FOLDER/GPU.owner      locked by a study that uses the GPU, and says which
    FOLDER/GPU.used       locked likewise
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from urllib.parse import quote

import msgspec

from hpo_core.model.errors import BackendError

FOLDER = "HPO_RUNTIME_DIR"
"""The variable with the folder for locks, if it is not to be the default one."""


class Owner(msgspec.Struct, frozen=True):
    """Who uses a GPU.

    Attributes:
        uid: The study's uid.
        study: Its name.
        pid: Its controller, which need not live any more.
    """

    uid: str
    study: str
    pid: int


class DeviceLocks:
    """The locks of the GPUs that a study uses.

    Args:
        study: The study's name.
        uid: Its uid.
        on_free: Called in a thread when a GPU may have become free that was waited for.

    Attributes:
        usable: The GPUs that the study may use.
    """

    def __init__(self, study: str, uid: str, on_free: Callable[[], None]) -> None:
        self._owner = Owner(uid, study, os.getpid())
        self._on_free = on_free
        self._held: dict[str, list[int]] = {}
        self._inherited: set[str] = set()  # those that an earlier supervisor of the study has
        self._waited_for: set[str] = set()
        self._folder = ""
        self.usable: set[str] = set()

    @property
    def descriptors(self) -> list[int]:
        """The descriptors with the locks, for the supervisor of the jobs."""
        return [number for numbers in self._held.values() for number in numbers]

    def claim(self, places: Sequence[Sequence[str]], most: int) -> dict[str, Owner | None]:
        """Take the locks of the GPUs of places.

        Args:
            places: The GPUs of each place.
            most: Maximum number of places that are needed.

        Returns:
            The GPUs that were not available, each with who uses it.

        Raises:
            BackendError: If there can be no locks.
        """
        others: dict[str, Owner | None] = {}
        count = 0
        with self._gate():
            for gpus in places:
                if count == most:
                    break
                before = set(self._held)
                for gpu in gpus:
                    if gpu not in self._held and gpu not in others:
                        self._take(gpu, others)
                if others.keys().isdisjoint(gpus):
                    count += 1
                else:  # nobody waits for one GPU and keeps another one meanwhile
                    self._release(self._held.keys() - before)
        self.usable = self._held.keys() | self._inherited
        return others

    def renew(self) -> None:
        """Take the locks that an earlier supervisor of the study had, once it has ended."""
        if self._inherited - self._held.keys():
            with self._gate():
                for gpu in self._inherited - self._held.keys():
                    self._take(gpu, {})

    def wait_for(self, gpus: Sequence[str]) -> None:
        """Have `on_free` called as soon as one of some GPUs is no longer used."""
        for gpu in gpus:
            if gpu not in self._waited_for:
                self._waited_for.add(gpu)
                threading.Thread(target=self._wait, args=(gpu,), daemon=True).start()

    def close(self) -> None:
        """Release the locks, as far as no supervisor has them."""
        self._release(set(self._held))

    def _release(self, gpus: Set[str]) -> None:
        for gpu in gpus:
            for number in self._held.pop(gpu):
                os.close(number)

    def _take(self, gpu: str, others: dict[str, Owner | None]) -> None:
        descriptor = self._open(f"{quote(gpu, safe='')}.owner")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _read(descriptor)
            os.close(descriptor)
            if owner is not None and owner.uid == self._owner.uid:
                self._inherited.add(gpu)
            else:
                others[gpu] = owner
            return
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(self._owner), 0)
        used = self._open(f"{quote(gpu, safe='')}.used")
        fcntl.flock(used, fcntl.LOCK_EX)  # others have it for a moment alone: see `_wait`
        self._held[gpu] = [descriptor, used]

    def _wait(self, gpu: str) -> None:
        descriptor = self._open(f"{quote(gpu, safe='')}.used")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)
        self._waited_for.discard(gpu)
        self._on_free()

    @contextmanager
    def _gate(self) -> Iterator[None]:
        self._folder = self._folder or runtime_folder()
        descriptor = self._open("gate")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        path = os.path.join(self._folder, name)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def runtime_folder() -> str:
    """Return the folder of this user for locks, which is created if it is missing.

    Raises:
        BackendError: If there can be none.
    """
    path = os.environ.get(FOLDER) or os.path.join(tempfile.gettempdir(), f"hpo-core-{os.getuid()}")
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.lstat(path)
    except OSError as error:
        reason = error.strerror or str(error)
    else:
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
            return path
        reason = "it is not a folder of this user"
    raise BackendError(
        f"the locks of GPUs cannot be kept in {path}: {reason}; name another folder in {FOLDER}"
    )


def _read(descriptor: int) -> Owner | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Owner)
    except msgspec.MsgspecError:
        return None
