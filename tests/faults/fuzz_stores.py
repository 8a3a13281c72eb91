"""Stores with changed cells, for the fuzzer."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from typing import Any, NamedTuple

from fuzz_data import anything, as_json, leaves
from hypothesis import strategies as st

CELLS = {
    "study": ("name", "uid", "config", "plugins", "created", "state", "reason"),
    "progress": ("wall_time", "strategy_state", "strategy_events"),
    "trial": ("id", "seq", "adopted", "iterations", "notes", "configuration",
              "first_configuration", "state", "losses"),
    "job": ("trial", "attempt", "name", "state", "target", "queued", "started", "ended",
            "iteration", "iterations", "metrics", "reason", "handle"),
    "log": ("seq", "kind", "trial", "attempt", "time", "iteration", "metrics", "losses",
            "decision", "suggestion"),
    "enqueued": ("configuration",),
}  # fmt: skip


class Cell(NamedTuple):
    """A cell of a store, and how it is changed."""

    table: str
    column: str
    row: int
    value: Any
    seed: int


cells = st.sampled_from([(table, column) for table, columns in CELLS.items() for column in columns])
changes = st.lists(
    st.builds(
        lambda cell, *rest: Cell(*cell, *rest),
        cells | st.just(("study", "config")) | st.just(("study", "plugins")),
        st.integers(0, 30),
        st.just("change it") | leaves | st.binary(max_size=8) | anything.map(as_json),
        st.integers(0, 2**32),
    ),
    min_size=1,
    max_size=3,
)
"""One to three cells that are changed."""


def change(connection: sqlite3.Connection, cell: Cell) -> None:
    """Change a cell, as far as SQLite lets it."""
    table, column, at, value, seed = cell
    key = ", ".join({"study": ["id"], "enqueued": ["id"], "progress": ["study"],
                     "trial": ["study", "id"], "job": ["study", "trial", "attempt"],
                     "log": ["study", "seq"]}[table])  # fmt: skip
    rows = connection.execute(f"SELECT {column}, {key} FROM {table} ORDER BY {key}").fetchall()
    old, *where = rows[at % len(rows)]
    if value == "change it":
        value = _changed_a_little(old, random.Random(seed))
    if isinstance(value, list | dict):
        value = as_json(value)
    places = " AND ".join(f"{name} = ?" for name in key.split(", "))
    with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeEncodeError):
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {places}", (value, *where))


def _changed_a_little(old: Any, chance: random.Random) -> Any:
    """Return another value of the same kind; of JSON, with one leaf changed."""
    other = chance.choice([None, -1, 0, 1, 2**62, 1e300, "", "x", "failed", "running", "7", [], {}])
    try:
        tree = json.loads(old)
    except (TypeError, ValueError):
        return other
    if not isinstance(tree, dict | list) or not tree:
        return other
    container = tree
    while True:
        key = chance.choice(
            list(container) if isinstance(container, dict) else range(len(container))
        )
        inner = container[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.1:
            break
        container = inner
    if chance.random() < 0.2:
        del container[key]
    else:
        container[key] = other
    return json.dumps(tree)
