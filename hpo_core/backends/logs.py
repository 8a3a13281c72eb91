"""The file that takes what a job prints: it is there once something was printed, and removed else.

Worker processes import this too: the standard library and `hpo_core.client` alone.
"""

from __future__ import annotations

import contextlib
import errno
import os

from hpo_core.client import make_folder


def create(path: str) -> int:
    """Open a file to append to, made with its folders if need be; return its descriptor.

    It is its user's alone, and no link to another file is followed.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folder(os.path.dirname(path))
        return os.open(path, flags, 0o600)


def write_to(path: str) -> None:
    """Send this process's standard output and error to a file; with no path they stay."""
    if path:
        file = create(path)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


class ReusedLog:
    """Takes what this process and those that it starts print, for one job after another.

    Most small jobs print nothing, and to make a file and remove it again costs more than all else
    that is done for such a job. So a job's output goes to a spare file, which gets the name of the
    job's log once something was printed or the job has run for a moment; else it serves the next
    job too. That is the file's only other user: all processes of a job end with it.
    """

    def __init__(self) -> None:
        self._spare = ""
        self._identity: tuple[int, int] | None = None

    def begin(self, log: str) -> None:
        """Let what is printed from now on go to a job's log; with no path it goes where it did.

        Raises:
            OSError: If the log can't be written, or is a link.
        """
        if not log:
            return
        if os.path.islink(log):  # as where it is opened: see `create`
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), log)
        spare = spare_of(log, os.getpid())
        if spare != self._spare or not self._is_in_place():
            self.remove()
            write_to(spare)
            self._spare, self._identity = spare, _identity(os.fstat(1))

    def end(self, log: str) -> None:
        """Keep what was printed; nothing that the job started may run any more."""
        if not log:
            return
        try:
            if os.stat(self._spare).st_size == 0:
                return
            os.rename(self._spare, log)
        except FileNotFoundError:  # it has the job's name already
            remove_if_empty(log)
        self._spare = ""

    def remove(self) -> None:
        """Remove the spare file, if there is one."""
        if self._spare:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._spare)
            self._spare = ""

    def _is_in_place(self) -> bool:
        """Return whether the spare file still takes what is printed: jobs may change that."""
        try:
            found = (os.fstat(1), os.fstat(2), os.stat(self._spare))
        except OSError:
            return False
        return all(_identity(status) == self._identity for status in found)


def spare_of(log: str, process: int) -> str:
    """Return the spare file of a process for logs in the folder of this one."""
    return f"{os.path.dirname(log)}/.{process}.log"


def remove_spare(log: str, process: int) -> None:
    """Remove the spare file of a process that has ended."""
    if log:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(spare_of(log, process))


def name(log: str, process: int) -> None:
    """Give what a process has printed the name of its job's log, if it has not got it yet."""
    if log:
        with contextlib.suppress(FileNotFoundError):
            os.rename(spare_of(log, process), log)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def remove_if_empty(path: str) -> None:
    """Remove a log in which nothing was written."""
    with contextlib.suppress(FileNotFoundError):
        if os.stat(path).st_size == 0:
            os.unlink(path)


def last_lines(path: str, count: int = 10) -> str:
    """Return the last lines of a log, or ``""`` if there are none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 8192, 0))
            lines = file.read().decode(errors="replace").rstrip().splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-count:])
