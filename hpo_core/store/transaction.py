"""A transaction on a store's file: all that is written in it is kept, or nothing."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from typing import Any

from hpo_core.model.errors import StoreError
from hpo_core.store.explained import explained


class Transaction:
    """Holds a store, and keeps all that is written meanwhile, or nothing if that fails.

    A class and not a generator, since the controller opens one a turn.

    Args:
        connection: The store.
        lock: Keeps the store's other threads away.
        path: The store's file, for messages.
    """

    __slots__ = ("_connection", "_lock", "_path")

    def __init__(
        self, connection: sqlite3.Connection, lock: AbstractContextManager[Any], path: str
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        self._lock.__enter__()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._lock.__exit__(None, None, None)
            raise self._named(error) from error
        return self._connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        connection = self._connection
        try:
            if error is None:
                connection.execute("COMMIT")
        except sqlite3.Error as failed:
            error = failed
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._lock.__exit__(None, None, None)
        if error is not None:
            named = self._named(error)
            if named is not error:
                raise named from error

    def _named(self, error: BaseException) -> BaseException:
        """Return SQLite's error as one that says which store it is about; others as they are."""
        if isinstance(error, sqlite3.Error):
            return StoreError(f"cannot write to the store {self._path}: {explained(error)}")
        if isinstance(error, OverflowError):
            return StoreError(f"cannot write to the store {self._path}: {error}")
        return error
