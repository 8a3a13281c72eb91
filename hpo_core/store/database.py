"""Open the file of a store: create, reject or migrate it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpo_core.model.errors import StoreError
from hpo_core.store import soundness, wal
from hpo_core.store.explained import explained
from hpo_core.store.migration import migrate
from hpo_core.store.schema import APPLICATION_ID, SCHEMA, VERSION

MEMORY = ":memory:"

_PATIENCE = 30.0
"""Maximum time in seconds to wait for another process that locks the store."""


def connect(path: str, *, create: bool, accept_loss: bool = False) -> sqlite3.Connection:
    """Open a store's file.

    Args:
        path: The file, or ``":memory:"``.
        create: Whether to create it if it does not exist.
        accept_loss: Whether to open it without its write-ahead log, if that is missing.

    Raises:
        StoreError: If it does not exist, is not a store, was written by a newer hpo-core, is
            incomplete, or cannot be read or written.
    """
    if path != MEMORY and not create and not Path(path).exists():
        raise StoreError(f"there is no store at {path}; name another with --store or HPO_STORE")
    try:
        return _connect(path, accept_loss)
    except sqlite3.Error as error:
        why = "it is a folder" if os.path.isdir(path) else explained(error)
        raise StoreError(
            f"cannot open the store {path}: {why}; name another file with --store or HPO_STORE"
        ) from error
    except OSError as error:
        raise StoreError(f"cannot open the store {path}: {error.strerror}") from error


def _connect(path: str, accept_loss: bool) -> sqlite3.Connection:
    if path == MEMORY:
        return _opened(path)
    if os.path.exists(path) and os.path.getsize(path):
        try:
            return _opened(path, may_be_empty=False, accept_loss=accept_loss)
        except _EmptyError:
            pass  # another process is creating it, or was killed while doing so
    with _alone_in(_writable_folder(path)):
        if not os.path.exists(path):  # closing the descriptor would release locks of other threads
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        return _opened(path)


class _EmptyError(Exception):
    """The file has no tables yet."""


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Prevent other processes from creating a store here at the same time.

    SQLite does not wait when two processes set the journal mode at the same time: one fails.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _opened(
    path: str, *, may_be_empty: bool = True, accept_loss: bool = False
) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
    )
    limit = soundness.Limit(connection, path)
    limit.begin()
    try:
        connection.execute("BEGIN")  # another process may create it between two checks
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        is_empty = application == 0 and version == 0 and _is_empty(connection)
        connection.execute("COMMIT")
        if is_empty:
            if not may_be_empty:
                raise _EmptyError
            _create(connection)
        elif application != APPLICATION_ID:
            raise StoreError(f"{path} is an SQLite file, but not a store of hpo-core")
        elif version > VERSION:
            raise StoreError(
                f"{path} was written by a newer hpo-core (schema {version}; this one knows up to "
                f"{VERSION}): pip install -U hpo-core"
            )
        elif version < 1:
            raise StoreError(
                f"the store {path} is damaged: it has the schema version {version}; take it from "
                "a backup"
            )
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # see `wal`
        soundness.require(connection, path)
        migrate(connection)
        wal.require(connection, path, accept_loss=accept_loss)
        limit.end()
    except BaseException:
        connection.close()
        raise
    return connection


def _writable_folder(path: str) -> Path:
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise StoreError(f"cannot make the store {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise StoreError(f"cannot make the store {path}: the folder {folder} is not writable")
    return folder


def _is_empty(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection):  # no other process was faster
        for statement in SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
