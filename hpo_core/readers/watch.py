"""Notification of changed files: by inotify on Linux, elsewhere by a check each second."""

from __future__ import annotations

import ctypes
import os
import select
import sys
import threading
from collections.abc import Callable, Iterable

_GATHERS = 20
"""Milliseconds during which changes are collected, to limit the wake-ups by a busy job."""

_LOOKS = 1000
"""Milliseconds between two checks where the system sends no notifications."""

_CHANGES = 0x2 | 0x80 | 0x100  # IN_MODIFY, IN_MOVED_TO, IN_CREATE


class Watch:
    """Calls a function from a thread when one of the files may have changed.

    Args:
        on_change: The function to call, which must be thread-safe.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._inotify = _Inotify.opened()
        self._looks = self._inotify is None
        self._folders: dict[str, dict[str, None]] = {}  # with the names of their watchers
        self._wake_pipe, self._wake_end = os.pipe()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def follow(self, name: str, paths: Iterable[str]) -> None:
        """Watch files, which need not exist yet, instead of the earlier files of this name.

        A reader that reads a file after this call misses no change.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hpo-watch", daemon=True)
            self._thread.start()
        wanted = {_nearest_folder(path) for path in paths}
        for folder in wanted:
            self._folders.setdefault(folder, {})[name] = None
            if self._inotify is not None and not self._inotify.add(folder) and not self._looks:
                self._looks = True  # the system's limit is reached
                os.write(self._wake_end, b"\0")
        for folder in [each for each in self._folders if each not in wanted]:
            self._drop(folder, name)

    def leave(self, name: str) -> None:
        """Stop watching the files of a name."""
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
    """Notifications of the system about changes in folders."""

    def __init__(self, library: ctypes.CDLL, descriptor: int) -> None:
        self.descriptor = descriptor
        self._library = library
        self._watches: dict[str, int] = {}

    @classmethod
    def opened(cls) -> _Inotify | None:
        """Return an instance; None if the system has no inotify, or its limit is reached."""
        if sys.platform != "linux":
            return None
        library = ctypes.CDLL(None)
        descriptor = library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        return None if descriptor < 0 else cls(library, descriptor)

    def add(self, folder: str) -> bool:
        """Watch a folder; return False if the system's limit is reached."""
        number = self._library.inotify_add_watch(self.descriptor, os.fsencode(folder), _CHANGES)
        if number >= 0:
            self._watches[folder] = number
        return number >= 0 or not os.path.isdir(folder)

    def remove(self, folder: str) -> None:
        """Stop watching a folder."""
        number = self._watches.pop(folder, None)
        if number is not None:
            self._library.inotify_rm_watch(self.descriptor, number)

    def forget_changes(self) -> None:
        """Read and discard the notifications: only their arrival matters."""
        try:
            while os.read(self.descriptor, 1 << 16):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.descriptor)


def _nearest_folder(path: str) -> str:
    """Return the folder of a file, or the nearest existing parent folder."""
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder
