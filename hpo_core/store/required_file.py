"""Files that have to stay where they are while a study runs.

A file that is deleted while it is open can be written on: what a study records would vanish with
its end, and a lock would keep nobody away.
"""

from __future__ import annotations

import os

from hpo_core.model.errors import StoreError


class RequiredFile:
    """A file, as it is now.

    Args:
        path: Where it is.
        what: What it is, for people.
    """

    __slots__ = ("_identity", "_path", "_what")

    def __init__(self, path: str | os.PathLike[str], what: str) -> None:
        self._path = os.path.abspath(path)
        self._what = what
        self._identity = self._look()

    def check(self) -> None:
        """See that the file is still there.

        Raises:
            StoreError: If it was removed, or another one is in its place.
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
