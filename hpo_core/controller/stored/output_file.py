"""Write to a file that the user names, without destroying existing data."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.store.schema import is_store

_DESCRIPTOR = re.compile(r"/dev/(?:fd/(\d+)|(stdin|stdout|stderr))|/proc/self/fd/(\d+)").fullmatch
_STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}


def write(place: str, content: str | bytes, *, force: bool = False, option: str = "-o") -> None:
    """Write text or bytes to a file atomically.

    The file is accessible only to the user (mode 0600). A link is replaced, not followed. Standard
    output (``-``), devices and named pipes are written to directly.

    Args:
        place: The file's path, or ``-``.
        content: The text or the bytes.
        force: Whether to replace an existing file.
        option: The option that names the file, for messages.

    Raises:
        InvalidInput: If the file exists, is a store, or can't be written.
    """
    if place == "-" and isinstance(content, str):
        sys.stdout.write(content)
        return
    data = content.encode() if isinstance(content, str) else content
    try:
        descriptor = _open_stream("/dev/stdout" if place == "-" else place)
        if descriptor is not None:
            with open(descriptor, "wb") as stream:
                stream.write(data)
            return
        if wrong := _not_replaceable(place, force=force):
            raise InvalidInput([Fault(option, wrong)])
        _write_whole(Path(place), data, force=force)
    except BrokenPipeError:
        raise
    except FileExistsError:  # it was created meanwhile
        raise InvalidInput([Fault(option, _exists(place))]) from None
    except OSError as error:
        raise InvalidInput([Fault(option, f"cannot write {place}: {error.strerror}")]) from error


def _open_stream(place: str) -> int | None:
    """Return the descriptor of a stream that is written to directly; None for a file."""
    if match := _DESCRIPTOR(place):
        number, stream, other = match.groups()
        sys.stdout.flush()
        return os.dup(_STREAMS[stream] if stream else int(number or other))
    with suppress(FileNotFoundError):
        mode = os.stat(place).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
            return os.open(place, os.O_WRONLY | os.O_CLOEXEC)
    return None


def _not_replaceable(place: str, *, force: bool) -> str | None:
    """Return why a file must not be written, or None."""
    store = re.sub(r"-(wal|shm|journal)$", "", place)
    if is_store(store):
        part = "a store" if store == place else f"part of the store {store}"
        return f"{place} is {part}, which an export never replaces; name another file"
    if os.path.lexists(place):
        if os.path.isdir(place) and not os.path.islink(place):
            return f"{place} is a folder; name a file in it"
        if not os.path.islink(place) and not os.path.isfile(place):
            return f"{place} is neither a file nor a stream to write to; name another one"
        if not force:
            return _exists(place)
    return None


def _exists(place: str) -> str:
    return f"{place} already exists; name another file, or replace it with --force"


def _write_whole(path: Path, data: bytes, *, force: bool) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if force:
            os.replace(name, path)
        else:
            _place_new(name, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _place_new(name: str, path: Path) -> None:
    """Move a file to its name, unless the name is taken."""
    try:
        os.link(name, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.rename(name, path)
