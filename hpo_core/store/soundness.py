"""Limit the time to read a store from an untrusted source.

An SQLite file can make queries run forever: with a view in place of a table, a trigger, a computed
column, or pages that contain each other. So tables must be tables, and the steps of a query are
limited by the size of the file.
"""

from __future__ import annotations

import os
import sqlite3
import sys

from hpo_core.model.errors import StoreError

_TABLES = ("study", "progress", "trial", "job", "log", "enqueued", "wal")
"""The tables that hpo-core reads; a store of an earlier version lacks some."""

_STEP = 100_000
"""Number of SQLite's operations between two checks."""

_LEAST, _PER_BYTE = 20_000_000, 100
"""Base limit of operations of a query, and the increment per byte of the file. A row of hpo-core
takes some dozens of bytes and operations.
"""

_LONGEST = 1 << 28  # bytes of a value or a row: SQLite's own limit is four times that


class Limit:
    """Aborts a query that takes more steps than reading the whole file.

    Args:
        connection: The store, opened.
        path: Its file.
    """

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._path = path
        self._left = -1
        connection.set_progress_handler(self._count, _STEP)

    def begin(self) -> None:
        """Start counting."""
        self._left = (_LEAST + _PER_BYTE * self._size()) // _STEP

    def end(self) -> None:
        """Stop counting, since writing is not limited."""
        self._left = -1

    def _count(self) -> bool:
        if self._left > 0:
            self._left -= 1
        return self._left == 0  # aborts the query

    def _size(self) -> int:
        size = 0
        for path in (self._path, f"{self._path}-wal"):
            try:
                size += os.path.getsize(path)
            except OSError:
                continue
        return size


def require(connection: sqlite3.Connection, path: str) -> None:
    """Check that a store has its tables, and no views, triggers or computed columns.

    Raises:
        StoreError: If it has not.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    objects = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    kinds = {name: (kind, str(sql)) for kind, name, sql in objects}
    wrong = [name for kind, name, _ in objects if kind == "trigger"]
    for table in filter(kinds.__contains__, _TABLES):
        kind, sql = kinds[table]
        if (
            kind != "table"
            or not sql.upper().startswith("CREATE TABLE")
            or _computes(connection, table)
        ):
            wrong.append(table)
    if wrong:
        raise StoreError(
            f"the store {path} is damaged: {', '.join(map(repr, wrong))} was not created by "
            f"hpo-core; take it from a backup"
        )


def _computes(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether a table has computed columns."""
    columns = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
    return any(hidden for *_, hidden in columns)


def no_job(trial_id: int) -> StoreError:
    """Return the error that a trial has no job, although each is recorded with one."""
    return StoreError(f"the store is damaged: trial {trial_id} has no job; take it from a backup")
