"""The checkpoint folder of one job after another, made once if the jobs leave it empty."""

from __future__ import annotations

import contextlib
import os
import stat

from hpo_core.client import make_folder

_OWN = stat.S_IFDIR | 0o700
"""The type and the permissions of a folder as it is made."""


class ReusedFolder:
    """Gives the checkpoint folder to one job after another.

    Many jobs write no checkpoints, and a file system may take longer to make a folder than a small
    command runs. So a folder that a job has left empty is set aside, and renamed for the next job.
    This is safe because all processes of a job end with the job.
    """

    def __init__(self) -> None:
        self._folder = ""

    def begin(self, folder: str) -> None:
        """Make a job's folder and its missing parents, accessible only to the user.

        Args:
            folder: The path; ``""`` for none.

        Raises:
            OSError: If it cannot be made.
        """
        self._folder = folder
        if not folder:
            return
        try:
            os.rename(spare_of(folder, os.getpid()), folder)
        except OSError:  # nothing is set aside, or an earlier job has left checkpoints
            make_folder(folder)

    def end(self) -> None:
        """Set the folder aside if it is empty. No process of the job may be running."""
        if self._folder:
            with contextlib.suppress(OSError):  # otherwise it stays, as if it were not empty
                if os.lstat(self._folder).st_mode == _OWN and not os.listdir(self._folder):
                    os.rename(self._folder, spare_of(self._folder, os.getpid()))

    def remove(self) -> None:
        """Remove the folder that was set aside, if there is one."""
        remove_spare(self._folder, os.getpid())


def spare_of(folder: str, process: int) -> str:
    """Return the path at which a process sets an empty folder aside."""
    return f"{os.path.dirname(folder)}/.{process}"


def remove_spare(folder: str, process: int) -> None:
    """Remove the folder that a process has set aside, once it has ended."""
    if folder:
        with contextlib.suppress(OSError):  # there is none
            os.rmdir(spare_of(folder, process))
