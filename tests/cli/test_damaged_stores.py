"""A store with rows that hpo-core has not written gives one error message, not a traceback."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]

DAMAGES = [
    ("study SET plugins = 'false'", "show"),
    ("study SET plugins = '{\"strategy\": {}}'", "show"),
    ("study SET plugins = '{\"strategy\": 7}'", "resume"),
    ("study SET state = 'no such'", "studies"),
    ("study SET created = 'x'", "studies"),
    ("study SET config = x'00'", "studies"),
    ("study SET name = x'00'", "show"),
    ("progress SET wall_time = 'x'", "show"),
    ("progress SET wall_time = 'x'", "resume"),
    ("progress SET strategy_state = '{', strategy_events = 1", "resume"),
    ("progress SET strategy_state = '1', strategy_events = 'x'", "resume"),
    ("trial SET losses = '[\"x\"]'", "top"),
    ("trial SET losses = '{'", "export"),
    ("trial SET configuration = '[]'", "export"),
    ("trial SET state = 'x'", "export"),
    ("trial SET id = 900 WHERE id = 2", "export"),
    ("trial SET id = 9223372036854775807 WHERE id = 6", "resume"),
    ("trial SET seq = 'x'", "resume"),
    ("trial SET notes = '{'", "replay"),
    ("job SET trial = 77 WHERE trial = 1", "export"),
    ("job SET trial = 77 WHERE trial = 1", "top"),
    ("job SET queued = 'x'", "jobs"),
    ("job SET metrics = '7'", "jobs"),
    ('job SET metrics = \'{"loss": "x"}\'', "jobs"),
    ("job SET iteration = 1.5", "jobs"),
    ("job SET handle = '{'", "jobs"),
    ("log SET metrics = ''", "replay"),
    ("log SET metrics = '{\"loss\": {}}'", "replay"),
    ("log SET losses = '7'", "replay"),
    ("log SET kind = 'x'", "replay"),
    ("log SET decision = 'x'", "replay"),
    ("log SET suggestion = '{}'", "replay"),
    ("log SET seq = 9223372036854775807 WHERE seq = 3", "replay"),
]


@pytest.mark.parametrize(("damage", "command"), DAMAGES)
def test_unreadable_row_is_reported_as_damaged(
    small: Hpo, folder: Path, damage: str, command: str
) -> None:
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute("UPDATE study SET state = 'interrupted'")
        connection.execute(
            "UPDATE study SET config = json_set(config, '$.budget.jobs', 8)"
        )  # so that there is something to resume
        connection.execute(f"UPDATE {damage}")
    ended = small(command, *([] if command == "studies" else ["small"]))
    assert ended.status == 2, ended
    lines = ended.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: the store hpo.db is damaged: ") or "is damaged" in lines[0]


def test_an_enqueued_configuration_that_can_not_be_read_ends_the_study_in_a_sentence(
    small: Hpo, folder: Path
) -> None:
    small("enqueue", "small", "x=0.5")
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute("UPDATE enqueued SET configuration = '[]'")
        connection.execute("UPDATE study SET state = 'interrupted'")
        connection.execute("UPDATE study SET config = json_set(config, '$.budget.jobs', 8)")
    ended = small("resume", "small", "--quiet")
    assert ended.status == 1
    assert "the study 'small' failed: the store hpo.db is damaged" in ended.err


def test_a_trial_whose_job_is_gone_is_an_error_when_the_study_is_resumed(
    small: Hpo, folder: Path
) -> None:
    best = small("top", "small", "--json").json()[0]["trial_id"]
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute("UPDATE job SET trial = 99 WHERE trial = ?", (best,))
        connection.execute("UPDATE study SET state = 'interrupted'")
    ended = small("resume", "small", "--quiet")
    assert ended.status == 2
    assert f"the store is damaged: trial {best} has no job; take it from a backup" in ended.err


def test_a_time_beyond_all_dates_is_shown_as_it_is(small: Hpo, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute("UPDATE study SET created = 1e300")
    assert "1e+300 s after 1970" in small("studies").out


@pytest.mark.parametrize("job", ["9" * 30, "9" * 5000, "1." + "9" * 30])
def test_a_job_with_a_number_beyond_all_numbers_is_unknown(small: Hpo, job: str) -> None:
    ended = small("log", "small", job)
    assert ended.status == 2
    assert "has no job" in ended.err


def test_json_escapes_control_characters_that_json_itself_does_not(
    write: Callable[..., None], hpo: Hpo
) -> None:
    write(("seed = 7", 'seed = 7\ntags = ["\\u007f \\u009b \\u202e é"]'))
    hpo("run", "study.toml", "--quiet")
    out = hpo("show", "small", "--json").out
    assert "\\u007f \\u009b \\u202e é" in out
    assert hpo("show", "small", "--json").json()["tags"] == ["\x7f \x9b \u202e é"]
