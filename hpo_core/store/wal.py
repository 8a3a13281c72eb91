"""SQLite's write-ahead log, the file ``hpo.db-wal``: a store without it may be incomplete.

SQLite writes to the log, and from time to time copies it into the store's file (a checkpoint). If
the log is lost after a controller was killed, SQLite silently opens the file as of the last
checkpoint. Therefore, before each checkpoint a row is set that marks the log as needed. After it
the row is reset, which is written only to the log: the mark is visible only without the log. The
last process that closes a store in order copies the log and deletes it: then the file is complete.
This requires that SQLite's automatic checkpoints are off (`database`).
"""

from __future__ import annotations

import os
import sqlite3

from hpo_core.model.errors import StoreError
from hpo_core.store.explained import explained

CHECKPOINT_EVERY = 200  # turns of a controller, about five pages each: as often as SQLite would

_REPEATS = 3


def checkpoint(connection: sqlite3.Connection, path: str) -> None:
    """Copy the log into the store's file, and mark the log as needed.

    Args:
        connection: The store, without other users.
        path: Its file.

    Raises:
        StoreError: If the file can't be written.
    """
    try:
        for _ in range(_REPEATS):
            connection.execute("UPDATE wal SET is_needed = 1")
            connection.execute(
                "PRAGMA wal_checkpoint(PASSIVE)"
            ).fetchall()  # does not wait for readers
            if connection.execute("UPDATE wal SET is_needed = 0 WHERE is_needed = 1").rowcount:
                return  # otherwise another process that has just opened it was faster
    except sqlite3.Error as error:
        raise StoreError(f"cannot write to the store {path}: {explained(error)}") from error


def require(connection: sqlite3.Connection, path: str, *, accept_loss: bool) -> None:
    """Check that the log exists if it is needed.

    Args:
        connection: The store, opened.
        path: Its file.
        accept_loss: Whether to continue permanently without the data of a missing log.

    Raises:
        StoreError: If it is missing.
    """
    if not _is_needed(connection):
        return
    log = f"{path}-wal"
    if not accept_loss and not _has_content(log):
        raise StoreError(
            f"the store {path} is incomplete: it was not closed in order, and the file {log}, "
            "which has its latest results, is missing. Put that file back beside it. Or "
            "accept their loss and continue with the remaining data: "
            f"hpo studies --store {path} --accept-loss"
        )
    connection.execute("UPDATE wal SET is_needed = 0")


def _is_needed(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT is_needed FROM wal").fetchone()
    return row is not None and bool(row[0])


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0  # SQLite creates an empty one when it opens a store
    except FileNotFoundError:
        return False
