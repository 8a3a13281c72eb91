"""Migrate stores of earlier versions to the current schema when they are opened.

New keys get the value of the old behaviour in stored configurations, so an update does not change
the behaviour of a study.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from hpo_core.store.schema import VERSION


def migrate(connection: sqlite3.Connection) -> None:
    """Migrate an open store to the current schema, in one transaction."""
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in _STEPS[_version(connection) - 1 :]:  # another process may have been faster
            step(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def with_old_values(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration of schema 1 with the old value for each missing key.

    Each key that is new in schema 2 has a line here, with the value that preserves the behaviour.
    If its default differs, `hpo_core.config.settled` allows a study file to omit it.
    """
    old_job = {"on_time_limit": "fail"}
    job = {**old_job, **config["job"]}
    if job.get("environment"):  # its texts are templates in schema 2
        job["environment"] = {name: _escaped(text) for name, text in job["environment"].items()}
    return {"max_failures_at_start": 0, **config, "job": job}


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _from_1_to_2(connection: sqlite3.Connection) -> None:
    for statement in (
        "ALTER TABLE study ADD COLUMN files TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE study ADD COLUMN first_budget TEXT",
        "UPDATE study SET first_budget = '{}'",  # schema 1 did not record extensions
        "ALTER TABLE study ADD COLUMN marks TEXT NOT NULL DEFAULT ''",
        "UPDATE study SET files = name",
        "ALTER TABLE progress ADD COLUMN adopted_events INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE progress ADD COLUMN not_adopted TEXT NOT NULL DEFAULT '[]'",
        "CREATE TABLE wal (is_needed INTEGER NOT NULL)",
        "INSERT INTO wal VALUES (0)",
    ):
        connection.execute(statement)
    for study, text in connection.execute("SELECT id, config FROM study").fetchall():
        try:
            config = json.loads(text)
            text = json.dumps(with_old_values(config))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue  # readers of the row report the damage
        connection.execute("UPDATE study SET config = ? WHERE id = ?", (text, study))


def _from_2_to_3(connection: sqlite3.Connection) -> None:
    for table in ("job", "log"):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN cause TEXT")


_STEPS = [_from_1_to_2, _from_2_to_3]


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
