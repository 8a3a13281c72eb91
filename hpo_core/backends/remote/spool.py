"""The records of one job in a file, from which they can be read again.

The agent appends; the controller, on the same machine or by a shared folder, only reads. An agent
holds a lock on its spool while it lives. Without a shared folder, the spool is a temporary file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import BinaryIO

from hpo_core.backends.remote.records import JobEnded, Record, read, written
from hpo_core.backends.supervisor.lines import Lines
from hpo_core.client import make_folder


class SpoolWriter:
    """Appends the records of a job.

    Args:
        path: The file, which must not exist: a job runs once.

    Raises:
        FileExistsError: If the job was begun before.

    Attributes:
        count: Number of records.
    """

    def __init__(self, path: str) -> None:
        make_folder(os.path.dirname(path))
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file: BinaryIO = open(os.open(path, flags, 0o600), "r+b", buffering=0)  # noqa: SIM115
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._starts: list[int] = [0]
        self.count = 0

    def append(self, record: Record) -> None:
        """Append a record, all of it."""
        line = written(record)
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) :]
        self._starts.append(self._starts[-1] + len(line))
        self.count += 1

    def sync(self) -> None:
        """Make everything visible to other machines."""
        with contextlib.suppress(OSError):  # a full disk; the next record says so
            os.fsync(self._file.fileno())

    def line(self, index: int) -> bytes:
        """Return the line of a record."""
        start, end = self._starts[index : index + 2]
        return os.pread(self._file.fileno(), end - start, start)

    def size_from(self, index: int) -> int:
        """Return the number of bytes of a record and those after it."""
        return self._starts[-1] - self._starts[index]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class SpoolReader:
    """Reads new records of a job.

    Args:
        path: The file, which need not exist yet.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._position = 0
        self._lines = Lines()
        self._records: list[Record] = []

    def read(self) -> list[Record]:
        """Return all records that have been read so far; an incomplete line is left.

        Raises:
            ValueError: If a line is no record.
        """
        with contextlib.suppress(FileNotFoundError), open(self._path, "rb") as file:
            file.seek(self._position)
            data = file.read()
            self._position += len(data)
            self._records += [read(line) for line in self._lines.feed(data)]
        return self._records

    def is_locked(self) -> bool:
        """Return whether the agent lives; False also where file systems have no locks."""
        try:
            with open(self._path, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @property
    def has_ended(self) -> bool:
        """Whether the end of the job is among the records that have been read."""
        return bool(self._records) and isinstance(self._records[-1], JobEnded)
