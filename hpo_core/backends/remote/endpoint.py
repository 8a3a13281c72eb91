"""The key of a study, and where its controller listens, kept in the study's folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from pathlib import Path

import msgspec

from hpo_core.client import make_folder


class Endpoint(msgspec.Struct, frozen=True):
    """How an agent reaches its controller.

    Attributes:
        key: The study's key, in hexadecimal digits.
        hosts: Names or addresses of the controller's machine, the most likely one first.
        port: The port at which it listens.
    """

    key: str
    hosts: tuple[str, ...]
    port: int

    def write(self, path: str) -> None:
        """Write this to a file that only the user can read."""
        make_folder(os.path.dirname(path))
        write_private(path, msgspec.json.encode(self))

    @classmethod
    def read(cls, path: str) -> Endpoint | None:
        """Read a file; return None if it is missing or damaged."""
        try:
            return msgspec.json.decode(Path(path).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return None


def write_private(path: str, data: bytes) -> None:
    """Replace a file by one that only the user can read; never leave a part of it."""
    beside = f"{path}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    os.replace(beside, path)


def new_key() -> str:
    """Return a new key. It is a secret, and no part of the study's randomness."""
    return secrets.token_hex(32)


def own_hosts() -> tuple[str, ...]:
    """Return the name and the address of this machine by which others may reach it."""
    found = [socket.gethostname()]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it selects the address of the route
        found.append(probe.getsockname()[0])
    found.append("127.0.0.1")
    return tuple(dict.fromkeys(found))
