"""Learns that files have changed: Linux tells (inotify); elsewhere it is looked once a second."""

from __future__ import annotations

import ctypes
import os
import select
import sys
import threading
from collections.abc import Callable, Iterable

_GATHERS = 20
"""Milliseconds for which changes are gathered, so that a busy job wakes nobody for each line."""

_LOOKS = 1000
"""Milliseconds between two looks where the system does not tell."""

_CHANGES = 0x2 | 0x80 | 0x100  # IN_MODIFY, IN_MOVED_TO, IN_CREATE


class Watch:
    """Calls back, from a thread, when one of some files may have changed.

    Args:
        on_change: What is called; it must be safe from any thread.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._inotify = _Inotify.opened()
        self._looks = self._inotify is None
        self._folders: dict[str, dict[str, None]] = {}  # with the names of those who want them
        self._wake_pipe, self._wake_end = os.pipe()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def follow(self, name: str, paths: Iterable[str]) -> None:
        """Watch files, which need not be there yet, in place of what a name had watched.

        Whoever reads a file after this misses no change.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hpo-watch", daemon=True)
            self._thread.start()
        wanted = {_nearest_folder(path) for path in paths}
        for folder in wanted:
            self._folders.setdefault(folder, {})[name] = None
            if self._inotify is not None and not self._inotify.add(folder) and not self._looks:
                self._looks = True  # the system has no room for more
                os.write(self._wake_end, b"\0")
        for folder in [each for each in self._folders if each not in wanted]:
            self._drop(folder, name)

    def leave(self, name: str) -> None:
        """Watch nothing more for a name."""
        for folder in list(self._folders):
            self._drop(folder, name)

    def close(self) -> None:
        """End the thread."""
        self._is_closed = True
        os.write(self._wake_end, b"\0")
        if self._thread is not None:
            self._thread.join()
        os.close(self._wake_pipe)
        os.close(self._wake_end)
        if self._inotify is not None:
            self._inotify.close()

    def _drop(self, folder: str, name: str) -> None:
        names = self._folders[folder]
        names.pop(name, None)
        if not names:
            del self._folders[folder]
            if self._inotify is not None:
                self._inotify.remove(folder)

    def _run(self) -> None:
        woken, changed = select.poll(), select.poll()
        for poll in (woken, changed):
            poll.register(self._wake_pipe, select.POLLIN)
        if self._inotify is not None:
            changed.register(self._inotify.descriptor, select.POLLIN)
        while not self._is_closed:
            changed.poll(_LOOKS if self._looks else None)
            if woken.poll(_GATHERS):
                os.read(self._wake_pipe, 1)
                continue
            if self._inotify is not None:
                self._inotify.forget_changes()
            self._on_change()


class _Inotify:
    """The system's word that something in a folder has changed."""

    def __init__(self, library: ctypes.CDLL, descriptor: int) -> None:
        self.descriptor = descriptor
        self._library = library
        self._watches: dict[str, int] = {}

    @classmethod
    def opened(cls) -> _Inotify | None:
        """Return one; None where there is none, or no room for it."""
        if sys.platform != "linux":
            return None
        library = ctypes.CDLL(None)
        descriptor = library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        return None if descriptor < 0 else cls(library, descriptor)

    def add(self, folder: str) -> bool:
        """Watch a folder; return whether there was room for it, or it is gone already."""
        number = self._library.inotify_add_watch(self.descriptor, os.fsencode(folder), _CHANGES)
        if number >= 0:
            self._watches[folder] = number
        return number >= 0 or not os.path.isdir(folder)

    def remove(self, folder: str) -> None:
        """Watch a folder no more."""
        number = self._watches.pop(folder, None)
        if number is not None:
            self._library.inotify_rm_watch(self.descriptor, number)

    def forget_changes(self) -> None:
        """Read what has changed: that something has is all there is to know."""
        try:
            while os.read(self.descriptor, 1 << 16):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Free it."""
        os.close(self.descriptor)


def _nearest_folder(path: str) -> str:
    """Return the folder of a file; while there is none, the one in which it will be made."""
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder
