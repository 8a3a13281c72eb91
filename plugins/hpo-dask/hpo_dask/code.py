"""The folder of the jobs, packed by the driver and unpacked at Dask workers."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterator

MOST = 100 << 20
"""Maximum number of bytes of all files together."""


def size(directory: str, without: Collection[str]) -> int:
    """Return the number of bytes that `pack` would put into an archive."""
    return sum(os.stat(path).st_size for path in _files(directory, without))


def pack(directory: str, without: Collection[str]) -> bytes:
    """Return the files of a folder as an archive: the same bytes for the same content.

    Names that begin with a dot, ``__pycache__`` and virtual environments are left out, and so are
    links to folders.

    Args:
        directory: The folder.
        without: Further paths to leave out, relative to it.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", dereference=True) as archive:
        for path in _files(directory, without):
            about = archive.gettarinfo(path, os.path.relpath(path, directory))
            about.mtime = about.uid = about.gid = 0
            about.uname = about.gname = ""
            with open(path, "rb") as file:
                archive.addfile(about, file)
    return stream.getvalue()


def digest(archive: bytes) -> str:
    """Return a short name for the content of an archive."""
    return hashlib.sha256(archive).hexdigest()[:16]


def unpack(archive: bytes, directory: str) -> None:
    """Unpack an archive into a folder, which has all of it once it exists."""
    if os.path.isdir(directory):
        return
    beside = tempfile.mkdtemp(dir=os.path.dirname(directory))
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(beside, filter="data")
        os.rename(beside, directory)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _files(directory: str, without: Collection[str]) -> Iterator[str]:
    """Yield the files to pack, in an order that depends on their names alone."""
    for folder, folders, files in os.walk(directory):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name != "__pycache__"
            and os.path.relpath(os.path.join(folder, name), directory) not in without
        )
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name.startswith(".") or os.path.relpath(path, directory) in without:
                continue
            if os.path.isfile(path):  # no pipe, and no link to nothing
                yield path
