"""A transaction on the file of a store."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from typing import Any

from hpo_core.model.errors import StoreError
from hpo_core.store.explained import explained


class Transaction:
    """A context manager that locks a store, and commits all writes, or none on an error.

    This is a class and not a generator for speed: the controller opens one in each turn.

    Args:
        connection: The store.
        lock: The lock against other threads.
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
        """Convert an SQLite error to one that names the store; return other errors unchanged."""
        if isinstance(error, sqlite3.Error):
            return StoreError(f"cannot write to the store {self._path}: {explained(error)}")
        if isinstance(error, OverflowError):
            return StoreError(f"cannot write to the store {self._path}: {error}")
        return error
