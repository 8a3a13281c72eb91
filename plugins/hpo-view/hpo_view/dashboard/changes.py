"""Detect changes of a store: the file system reports them for its file and its write-ahead log.

Network file systems do not report changes by other machines; there the files' modification times
are checked every few seconds.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import psutil
from watchfiles import Change, awatch

_PAUSE = 1.0
"""Minimum number of seconds between two notifications."""
_SHARE = 20
"""Minimum ratio of the time until the next notification to the time spent on a change."""
_LOOK_EVERY = 5.0
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "lustre", "afs", "ceph")


class Changes:
    """Counts the changes of a store, and wakes tasks that wait for the next change.

    Args:
        store: The store's file.
    """

    def __init__(self, store: str) -> None:
        self._store = Path(store).resolve()
        self.version = 1
        self.spent = 0.0  # seconds spent on content since the last change
        self.is_polled = is_on_network(self._store)
        self._changed = asyncio.Condition()
        # Its data_version does not count our own reads. While it is open, no reader of
        # ours is the last one, which would write to the file when it closes.
        self._connection = sqlite3.connect(self._store, check_same_thread=False)
        self._seen = self._number()

    async def watch(self) -> None:
        """Count changes until this is cancelled."""
        names = {self._store.name, f"{self._store.name}-wal"}
        notices = (
            self._looks() if self.is_polled else notified(self._store.parent, names.__contains__)
        )
        async for _ in notices:
            now = self._number()
            if now == self._seen:
                continue
            self._seen = now
            await self.tell()
            await asyncio.sleep(max(_PAUSE, self.spent * _SHARE))
            self.spent = 0.0

    async def tell(self) -> None:
        """Count a change, and wake the waiting tasks."""
        async with self._changed:
            self.version += 1
            self._changed.notify_all()

    async def after(self, version: int) -> int:
        """Wait for a later version, and return it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.version > version)
            return self.version

    def close(self) -> None:
        """Close the store."""
        self._connection.close()

    def _number(self) -> int:
        with suppress(sqlite3.Error):
            found: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return found
        return -1

    async def _looks(self) -> AsyncIterator[None]:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            yield


async def notified(folder: Path, wanted: Callable[[str], bool]) -> AsyncIterator[None]:
    """Yield when a file with one of the names changes in a folder."""

    def is_wanted(_: Change, path: str) -> bool:
        return wanted(os.path.basename(path))

    async for _ in awatch(
        folder, watch_filter=is_wanted, recursive=False, debounce=200, step=50, force_polling=False
    ):
        yield


async def looked(
    folder: Path, wanted: Callable[[str], bool], every: float = _LOOK_EVERY
) -> AsyncIterator[None]:
    """Yield when the size of a file with one of the names has changed, as seen every few seconds.

    Args:
        folder: The folder.
        wanted: Whether a name is one of them.
        every: Seconds between two looks.
    """
    seen = _sizes(folder, wanted)
    while True:
        await asyncio.sleep(every)
        now = _sizes(folder, wanted)
        if now != seen:
            seen = now
            yield


def _sizes(folder: Path, wanted: Callable[[str], bool]) -> dict[str, int]:
    found: dict[str, int] = {}
    with suppress(OSError):
        for entry in os.scandir(folder):
            if wanted(entry.name):
                found[entry.name] = entry.stat().st_size
    return found


def is_on_network(path: Path) -> bool:
    """Return whether a file is on a file system that other machines can write to."""
    mounts = {each.mountpoint: each.fstype for each in psutil.disk_partitions(all=True)}
    for folder in path.parents:
        if str(folder) in mounts:
            return mounts[str(folder)] in _NETWORK
    return False
