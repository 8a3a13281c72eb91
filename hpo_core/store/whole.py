"""Delete, rename and copy whole studies."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from hpo_core.model.errors import StoreError
from hpo_core.store.studies import Studies

_TABLES = ("progress", "trial", "job", "log", "enqueued")
"""The tables with rows of a study, in the column ``study``."""


def delete(store: Studies, study: int) -> None:
    """Delete the rows of a study. The caller must hold the study's lock."""
    with store.writing() as connection:
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE study = ?", (study,))
        connection.execute("DELETE FROM study WHERE id = ?", (study,))


def rename(store: Studies, study: int, name: str, config: str) -> None:
    """Rename a study. To be called by who holds the study's lock.

    Args:
        store: The store.
        study: The study's row.
        name: The new name.
        config: The configuration with the new name, as JSON.

    Raises:
        StoreError: If another study has this name.
    """
    with store.writing() as connection:
        _require_free(connection, store.path, name)
        connection.execute(
            "UPDATE study SET name = ?, config = ? WHERE id = ?", (name, config, study)
        )


def copy(source: Studies, study: int, target: Studies, *, name: str, uid: str, config: str) -> int:
    """Copy a consistent snapshot of a study's rows to another store.

    Args:
        source: The store.
        study: The study's row.
        target: The other store.
        name: The copy's name.
        uid: The copy's uid.
        config: The configuration with that name, as JSON.

    Returns:
        The copy's row.

    Raises:
        StoreError: If the other store has a study with this name, or a store cannot be used.
    """
    own = {"name": name, "uid": uid, "config": config, "files": ""}
    with source.snapshot(), target.writing() as connection:
        _require_free(connection, target.path, name)
        query = "SELECT * FROM study WHERE id = ?"
        row = _insert(source.connection, query, connection, "study", study, own)
        for table in _TABLES:
            query = f"SELECT * FROM {table} WHERE study = ?"
            _insert(source.connection, query, connection, table, study, {"study": row})
    return row


def require_free(store: Studies, name: str) -> None:
    """Check that no study has a name.

    Raises:
        StoreError: If a study has it.
    """
    _require_free(store.connection, store.path, name)


def _require_free(connection: sqlite3.Connection, path: str, name: str) -> None:
    if connection.execute("SELECT 1 FROM study WHERE name = ?", (name,)).fetchone():
        raise StoreError(f"the store {path} has a study {name!r} already; choose another name")


def _insert(
    source: sqlite3.Connection,
    query: str,
    target: sqlite3.Connection,
    table: str,
    study: int,
    own: Mapping[str, object],
) -> int:
    """Insert the rows of a query, with some columns replaced; return the id of the last row."""
    rows = source.execute(query, (study,))
    columns = [column for column, *_ in rows.description]
    places = [place for place, column in enumerate(columns) if column != "id" or table == "trial"]
    values = [own.get(columns[place]) for place in places]
    cursor = target.cursor()
    statement = (
        f"INSERT INTO {table} ({', '.join(columns[place] for place in places)}) "
        f"VALUES ({', '.join('?' * len(places))})"
    )
    for row in rows:
        cursor.execute(
            statement,
            [row[at] if value is None else value for at, value in zip(places, values, strict=True)],
        )
    return cursor.lastrowid or 0
