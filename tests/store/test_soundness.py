"""A store that would take forever to read counts as damaged, and is reported soon."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hpo_core.errors import StoreError
from hpo_core.store.store import Store

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "hpo.db"
    with Store(path) as store:
        store.create("digits", "{}", {}, 0.0)
    return path


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        (
            [
                "ALTER TABLE trial RENAME TO real_trial",
                f"CREATE VIEW trial AS {ENDLESS} SELECT x AS study, x AS id FROM n",
            ],
            "'trial'",
        ),
        (
            [
                "CREATE TRIGGER slow AFTER UPDATE ON study BEGIN "
                f"INSERT INTO log (study) {ENDLESS} SELECT x FROM n; END"
            ],
            "'slow'",
        ),
        (["ALTER TABLE job ADD COLUMN wide TEXT AS (printf('%*c', 900000000, 'x'))"], "'job'"),
        (
            ["DROP TABLE log", "CREATE VIRTUAL TABLE log USING fts5(study, seq)"],
            "'log'",
        ),
    ],
)
def test_what_computes_in_place_of_a_table_is_damage(
    path: Path, statements: list[str], what: str
) -> None:
    change(path, *statements)
    with pytest.raises(StoreError, match=f"is damaged: {what} was not created by hpo-core"):
        Store(path)


def test_users_own_view_in_the_store_is_ignored(path: Path) -> None:
    change(path, "CREATE VIEW best AS SELECT * FROM trial")
    with Store(path) as store:
        assert len(store.studies()) == 1


def test_endless_query_is_ended(path: Path) -> None:
    with Store(path) as store:
        with pytest.raises(StoreError, match="takes longer to read than a store of its size can"):
            store._rows(f"{ENDLESS} SELECT count(*) FROM n")
        assert len(store.studies()) == 1, "it can be read on"


def test_a_tree_of_pages_that_contain_each_other_is_damage(path: Path) -> None:
    """An interior page whose children are itself: SQLite would follow them a long way down."""
    change(path, "UPDATE study SET config = hex(randomblob(200000))")
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO enqueued (study, configuration) VALUES (1, ?)", [("x" * 3000,)] * 2000
        )
        connection.commit()
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'enqueued'"
        root = connection.execute(query).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        page = bytearray(file.read(size))
        assert page[0] == 5, "an interior page of a table"
        for cell in range(int.from_bytes(page[3:5], "big")):
            at = int.from_bytes(page[12 + 2 * cell : 14 + 2 * cell], "big")
            page[at : at + 4] = root.to_bytes(4, "big")
        file.seek((root - 1) * size)
        file.write(page)
    with Store(path) as store, pytest.raises(StoreError, match="damaged"):
        store._rows("SELECT * FROM enqueued")
