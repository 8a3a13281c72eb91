"""Files that must remain in place while a study runs.

An open file remains writable after it is deleted: the records of a study would be lost at its end,
and a lock would have no effect.
"""

from __future__ import annotations

import os

from hpo_core.model.errors import StoreError


class RequiredFile:
    """A file in its current place.

    Args:
        path: The path.
        what: A description, for messages.
    """

    __slots__ = ("_identity", "_path", "_what")

    def __init__(self, path: str | os.PathLike[str], what: str) -> None:
        self._path = os.path.abspath(path)
        self._what = what
        self._identity = self._look()

    def check(self) -> None:
        """Check that the file still exists.

        Raises:
            StoreError: If it was removed or replaced.
        """
        if self._look() != self._identity:
            raise StoreError(
                f"{self._what} was removed or replaced while the study ran; all jobs are ended. "
                "Put it back if you can, and resume the study: hpo resume"
            )

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino
