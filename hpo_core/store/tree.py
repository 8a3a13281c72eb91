"""Folders that are copied whole while a job may still write to them."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TypeAlias

from hpo_core.model.errors import StoreError

_TRIES = 20

_Look: TypeAlias = dict[str, tuple[int, int, int, int]]
"""What a tree looks like: for each path in it the inode, the mode, the size and the time."""


def copy_whole(source: Path, target: Path) -> None:
    """Copy a folder as it was at one moment: again, if something was written to it meanwhile.

    Links stay links. Sockets, pipes and devices are left out.

    Args:
        source: The folder; one that is not there is as an empty one.
        target: Where to; replaced if it is there.

    Raises:
        StoreError: If it changes faster than it can be copied.
        OSError: If it can't be read or written.
    """
    for _ in range(_TRIES):
        shutil.rmtree(target, ignore_errors=True)
        before = _look(source)
        try:
            _copy(source, target)
        except FileNotFoundError:
            continue
        if _look(source) == before:
            return
    shutil.rmtree(target, ignore_errors=True)
    raise StoreError(
        f"the folder {source} was written to each time that it was copied; try again later"
    )


def copy_as_found(source: Path, target: Path) -> None:
    """Copy files that only grow, such as logs, as far as they are there."""
    target.mkdir(mode=0o700, exist_ok=True)
    for entry in _entries(source):
        try:
            if entry.is_file(follow_symlinks=False):
                shutil.copy2(entry.path, target / entry.name, follow_symlinks=False)
        except FileNotFoundError:  # the log of a job that printed nothing
            continue


def _copy(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for entry in _entries(source):
        there = target / entry.name
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), there)
        elif entry.is_dir():
            _copy(Path(entry.path), there)
        elif entry.is_file():
            shutil.copy2(entry.path, there, follow_symlinks=False)


def _look(folder: Path) -> _Look:
    found: _Look = {}
    for entry in _entries(folder):
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        found[entry.path] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns)
        if stat.S_ISDIR(status.st_mode):
            found |= _look(Path(entry.path))
    return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
