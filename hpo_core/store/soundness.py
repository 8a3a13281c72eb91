"""A store that anybody may have made is read in a time that its size allows, or is damaged.

SQLite can be told in a file to compute without an end: by a view in place of a table, by a trigger,
a computed column, pages that contain each other. So tables have to be tables, and a query may
take as many steps as rows that fit into the file need.
"""

from __future__ import annotations

import os
import sqlite3
import sys

from hpo_core.model.errors import StoreError

_TABLES = ("study", "progress", "trial", "job", "log", "enqueued", "wal")
"""What hpo-core reads; a store of an earlier version lacks some."""

_STEP = 100_000
"""SQLite's operations between two looks at how many there were."""

_LEAST, _PER_BYTE = 20_000_000, 100
"""Operations that any query may take, and more for each byte of the file. A row of ours takes some
dozens of bytes and operations."""

_LONGEST = 1 << 28  # bytes in a value or a row: SQLite's own limit is four times that


class Limit:
    """Ends a query that takes more steps than reading the whole file would.

    Args:
        connection: The store, opened.
        path: Its file.
    """

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._path = path
        self._left = -1
        connection.set_progress_handler(self._count, _STEP)

    def begin(self) -> None:
        """Count from now on."""
        self._left = (_LEAST + _PER_BYTE * self._size()) // _STEP

    def end(self) -> None:
        """Count no more: what is written may take its time."""
        self._left = -1

    def _count(self) -> bool:
        if self._left > 0:
            self._left -= 1
        return self._left == 0  # which ends the query

    def _size(self) -> int:
        size = 0
        for path in (self._path, f"{self._path}-wal"):
            try:
                size += os.path.getsize(path)
            except OSError:
                continue
        return size


def require(connection: sqlite3.Connection, path: str) -> None:
    """See that a store has its tables, and nothing that computes.

    Raises:
        StoreError: If not.
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
            f"the store {path} is damaged: {', '.join(map(repr, wrong))} is not what hpo-core "
            "made; take it from a backup"
        )


def _computes(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether a table has columns that are computed as they are read."""
    columns = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
    return any(hidden for *_, hidden in columns)
