"""The log files of jobs, which exist only if the job printed something.

Worker processes import this module: only the standard library and `hpo_core.client`.
"""

from __future__ import annotations

import contextlib
import errno
import os

from hpo_core.client import make_folder


def create(path: str) -> int:
    """Open a file for appending, created with its folders if missing; return its descriptor.

    The file is accessible only to the user, and links are not followed.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folder(os.path.dirname(path))
        return os.open(path, flags, 0o600)


def write_to(path: str) -> None:
    """Redirect this process's standard output and error to a file; unchanged without a path."""
    if path:
        file = create(path)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


class ReusedLog:
    """Collects the output of this process and its children, for one job after another.

    Most small jobs print nothing, and creating and removing a file costs more than everything else
    done for such a job. So a job's output goes to a spare file. It is renamed to the job's log once
    something was printed or the job has run for a moment; otherwise the next job uses it as well.
    This is safe because all processes of a job end with the job.
    """

    def __init__(self) -> None:
        self._spare = ""
        self._identity: tuple[int, int] | None = None

    def begin(self, log: str) -> None:
        """Redirect output to a job's log; unchanged without a path.

        Raises:
            OSError: If the log cannot be written, or is a link.
        """
        if not log:
            return
        if os.path.islink(log):  # as in `create`
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), log)
        spare = spare_of(log, os.getpid())
        if spare != self._spare or not self._is_in_place():
            self.remove()
            write_to(spare)
            self._spare, self._identity = spare, _identity(os.fstat(1))

    def end(self, log: str) -> None:
        """Keep the output of a job, none of whose processes may be running."""
        if not log:
            return
        try:
            if os.stat(self._spare).st_size == 0:
                return
            os.rename(self._spare, log)
        except FileNotFoundError:  # it already has the name of the job's log
            remove_if_empty(log)
        self._spare = ""

    def remove(self) -> None:
        """Remove the spare file, if there is one."""
        if self._spare:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._spare)
            self._spare = ""

    def _is_in_place(self) -> bool:
        """Return whether output still goes to the spare file, which a job may change."""
        try:
            found = (os.fstat(1), os.fstat(2), os.stat(self._spare))
        except OSError:
            return False
        return all(_identity(status) == self._identity for status in found)


def spare_of(log: str, process: int) -> str:
    """Return the spare file of a process in the folder of a log."""
    return f"{os.path.dirname(log)}/.{process}.log"


def remove_spare(log: str, process: int) -> None:
    """Remove the spare file of a process that has ended."""
    if log:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(spare_of(log, process))


def name(log: str, process: int) -> None:
    """Rename the spare file of a process to its job's log, unless it was already renamed."""
    if log:
        with contextlib.suppress(FileNotFoundError):
            os.rename(spare_of(log, process), log)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def remove_if_empty(path: str) -> None:
    """Remove an empty log."""
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
