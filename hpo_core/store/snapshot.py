"""Copy a consistent snapshot of a folder while jobs write to it.

Files are opened between two listings of the folder. If the listings are equal, the open files are
the content at that time, whatever happens to their names later. Otherwise the copy is retried.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import NamedTuple

ATTEMPTS = 200
"""Maximum number of attempts while the folder changes."""

_OPEN_AT_ONCE = 400
"""Maximum number of files held open; further files are opened one by one and compared."""

_PIECE = 1 << 20  # bytes

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_SPECIAL = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "named pipe"}


class _ChangedError(Exception):
    """The folder changed while it was copied."""


class _Entry(NamedTuple):
    """The identity of a directory entry; equal if it is the same file with the same content."""

    device: int
    inode: int
    mode: int
    size: int
    changed: int
    link: str | None

    @property
    def kind(self) -> int:
        return stat.S_IFMT(self.mode)


def copy_folder(source: str, target: str) -> list[str]:
    """Copy a consistent snapshot of a folder to a new folder.

    Links are copied as links. Links within the folder become relative, so that those of the copy
    point into the copy. Links that point outside of the folder, sockets, pipes and devices are left
    out.

    Args:
        source: The folder.
        target: The target, which must not exist.

    Returns:
        Descriptions of what was left out.

    Raises:
        OSError: If it cannot be read or written, is not a folder, or keeps changing.
    """
    for _ in range(ATTEMPTS):
        try:
            with ExitStack() as held:
                return _copy(source, target, held)
        except (_ChangedError, FileNotFoundError):
            shutil.rmtree(target, ignore_errors=True)
            if not os.path.isdir(os.path.dirname(target)):
                raise
    raise OSError(f"{source} changed each time that it was copied ({ATTEMPTS} times)")


def _copy(source: str, target: str, held: ExitStack) -> list[str]:
    opened: dict[str, int] = {}
    found: dict[str, _Entry] = {}
    for name, entry, folder in _entries(source):
        found[name] = entry
        if entry.kind == stat.S_IFREG and len(opened) < _OPEN_AT_ONCE:
            opened[name] = os.open(os.path.basename(name), _FLAGS, dir_fd=folder)
            held.callback(os.close, opened[name])
    if found != {name: entry for name, entry, _ in _entries(source)}:
        raise _ChangedError
    left_out = []
    for name, entry in found.items():
        place = os.path.join(target, name) if name else target
        if entry.kind == stat.S_IFDIR:
            os.mkdir(place, 0o700)
        elif entry.kind == stat.S_IFREG:
            _copy_file(opened.get(name), os.path.join(source, name), place, entry)
        elif entry.link is None:
            left_out.append(f"the {_SPECIAL.get(entry.kind, 'device')} {name!r}")
        elif (link := _within(entry.link, name, source)) is None:
            left_out.append(f"the link {name!r}, which points outside of the folder")
        else:
            os.symlink(link, place)
    for name, entry in reversed(found.items()):
        if entry.kind == stat.S_IFDIR:
            _set_attributes(os.path.join(target, name) if name else target, entry)
    return left_out


def _entries(source: str) -> Iterator[tuple[str, _Entry, int]]:
    """Yield the entries of a folder, itself first: relative path, entry, descriptor of its folder.

    No link is followed, even if it replaces a folder meanwhile.
    """

    def fail(error: OSError) -> None:
        raise error

    if not stat.S_ISDIR(os.lstat(source).st_mode):
        raise NotADirectoryError(f"{source} is not a folder")
    for path, folders, files, descriptor in os.fwalk(source, onerror=fail):
        if path == source:
            yield "", _entry(os.fstat(descriptor), None), descriptor
        inside = os.path.relpath(path, source) if path != source else ""
        for name in sorted([*folders, *files]):
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            is_link = stat.S_ISLNK(status.st_mode)
            link = os.readlink(name, dir_fd=descriptor) if is_link else None
            yield os.path.join(inside, name), _entry(status, link), descriptor


def _entry(status: os.stat_result, link: str | None) -> _Entry:
    return _Entry(
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        link,
    )


def _copy_file(descriptor: int | None, source: str, target: str, entry: _Entry) -> None:
    """Copy a file with its content at the listing; appended data is left out."""
    if descriptor is None:
        with open(os.open(source, _FLAGS), "rb", closefd=True) as file:
            _copy_file(file.fileno(), source, target, entry)
        return
    if not _is_same(descriptor, entry):
        raise _ChangedError
    left = entry.size
    with open(target, "xb", opener=_private) as copy:
        while left and (piece := os.pread(descriptor, min(left, _PIECE), entry.size - left)):
            copy.write(piece)
            left -= len(piece)
    if left or not _is_same(descriptor, entry):
        raise _ChangedError
    _set_attributes(target, entry)


def _is_same(descriptor: int, entry: _Entry) -> bool:
    """Return whether an open file is the listed one with the same, or appended, content."""
    now = _entry(os.fstat(descriptor), None)
    is_grown = now.size > entry.size
    return now[:3] == entry[:3] and (is_grown or now == entry)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _set_attributes(path: str, entry: _Entry) -> None:
    os.utime(path, ns=(entry.changed, entry.changed))
    os.chmod(path, stat.S_IMODE(entry.mode) & 0o777 | (0o700 if os.path.isdir(path) else 0o600))


def _within(link: str, name: str, source: str) -> str | None:
    """Return the target of a link of the copy; None if it points outside of the folder.

    ``..`` is allowed only at the beginning: after the name of a link it would point elsewhere.
    """
    depth = len(PurePosixPath(name).parts) - 1
    if os.path.isabs(link):
        root = os.path.normpath(source)
        if link != root and not link.startswith(f"{root}/"):
            return None
        link = "/".join([*[".."] * depth, link[len(root) :].strip("/")]) or "."
    parts = PurePosixPath(link).parts
    ups = next((place for place, part in enumerate(parts) if part != ".."), len(parts))
    return None if ups > depth or ".." in parts[ups:] else link
