"""A transaction on a store's file: all that is written in it is kept, or nothing."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from hpo_core.model.errors import StoreError
from hpo_core.store.explained import explained

if TYPE_CHECKING:
    from hpo_core.store.studies import Studies


class Transaction:
    """Holds a store, and keeps all that is written meanwhile, or nothing if that fails.

    A class and not a generator, since the controller opens one a turn.
    """

    __slots__ = ("_store",)

    def __init__(self, store: Studies) -> None:
        self._store = store

    def __enter__(self) -> sqlite3.Connection:
        store = self._store
        store.lock.acquire()
        try:
            store.connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            store.lock.release()
            raise self._named(error) from error
        return store.connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        connection = self._store.connection
        try:
            if error is None:
                connection.execute("COMMIT")
        except sqlite3.Error as failed:
            error = failed
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._store.lock.release()
        if error is not None:
            named = self._named(error)
            if named is not error:
                raise named from error

    def _named(self, error: BaseException) -> BaseException:
        """Return SQLite's error as one that says which store it is about; others as they are."""
        if isinstance(error, sqlite3.Error):
            why = explained(error)
            return StoreError(f"cannot write to the store {self._store.path}: {why}")
        if isinstance(error, OverflowError):
            return StoreError(f"cannot write to the store {self._store.path}: {error}")
        return error
