"""The place where a study is stored: a file, which is opened for each use, or memory."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from hpo_core.config import StudyConfig, from_json
from hpo_core.store.database import MEMORY
from hpo_core.store.store import Store, opened


class Place:
    """A store that other processes may also use: a file is not kept open between two uses.

    Args:
        path: The store's file; None for a store in memory, which lasts until `close`.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = MEMORY if path is None else os.fspath(path)
        self._memory = Store() if path is None else None

    @property
    def store(self) -> str | Store:
        """The path of the file, or the store in memory."""
        return self.path if self._memory is None else self._memory

    def exists(self) -> bool:
        """Return whether the store exists."""
        return self._memory is not None or os.path.exists(self.path)

    def opened(self, *, create: bool = False) -> AbstractContextManager[Store]:
        """A context manager that opens the store.

        Args:
            create: Whether to create the file if it does not exist.

        Raises:
            StoreError: If it does not exist or cannot be used.
        """
        return opened(self.store, create=create)

    def config(self, name: str) -> StudyConfig | None:
        """Return the configuration of a stored study; None if there is no such study."""
        if not self.exists():
            return None
        with self.opened() as store:
            found = store.find(name)
        return None if found is None else from_json(found.config)

    def close(self) -> None:
        """Discard a store in memory."""
        if self._memory is not None:
            self._memory.close()

    def __str__(self) -> str:
        return "memory" if self._memory is not None else self.path
