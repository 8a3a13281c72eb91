"""The table ``job``: its columns, stated once, and the statements that are made of them."""

from __future__ import annotations

COLUMNS = {
    "study": "INTEGER NOT NULL REFERENCES study",
    "trial": "INTEGER NOT NULL",
    "attempt": "INTEGER NOT NULL",  # from 1; 0 is what ran elsewhere, and was imported
    "name": "TEXT NOT NULL",
    "state": "TEXT NOT NULL",
    "target": "INTEGER",  # how far to train
    "queued": "REAL NOT NULL",
    "started": "REAL",
    "ended": "REAL",
    "iteration": "INTEGER",  # the last that was reported
    "iterations": "INTEGER NOT NULL DEFAULT 0",  # how many of them are this job's own
    "metrics": "TEXT",  # JSON, the last value of each
    "reason": "TEXT NOT NULL DEFAULT ''",
    "handle": "TEXT",  # JSON, the backend's own
    "cause": "TEXT",  # why it failed; NULL if it did not, and in rows of schema 2
}
KEY = ("study", "trial", "attempt")
READ = tuple(COLUMNS)[1:]
"""The columns that are read, one for each field of a `JobRecord`, in their order."""

CREATE = "CREATE TABLE job ({}, PRIMARY KEY ({})) WITHOUT ROWID;".format(
    ", ".join(f"{name} {declared}" for name, declared in COLUMNS.items()), ", ".join(KEY)
)
WITHDRAWN = "state = 'queued' AND reason != ''"
"""Holds for a job that was ended before it started; it starts when the study is resumed."""

SELECT = f"SELECT {', '.join(READ)} FROM job WHERE study = ?"


def insert(*columns: str) -> str:
    """Return the statement that adds a job, with the values of these columns."""
    _require(columns)
    return f"INSERT INTO job ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def update(*columns: str) -> str:
    """Return the statement that changes these columns of a job; its key's values come last."""
    _require(columns)
    changes, key = (" = ?, ".join(columns), " = ? AND ".join(KEY))
    return f"UPDATE job SET {changes} = ? WHERE {key} = ?"


def _require(columns: tuple[str, ...]) -> None:
    assert COLUMNS.keys() >= set(columns), columns
