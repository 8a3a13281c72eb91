"""Studies from others can be read, but nothing of them is run without ``--trust``."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

import hpo_core
from hpo_core import HyperParameterOptimizer
from hpo_core.controller.stored.open_study import stored_config
from hpo_core.controller.stored.trust import why_foreign
from hpo_core.errors import StoreError
from hpo_core.plugin import PluginChoice
from hpo_core.store.store import Store

Hpo = Callable[..., Any]


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user who has no key yet."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    return home


def become_somebody_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    other = home / "other"
    other.mkdir()
    monkeypatch.setenv("HOME", str(other))
    return other


def key(home: Path) -> Path:
    return home / ".config" / "hpo" / "key"


RUNNING = [
    ["resume", "small", "--quiet"],
    ["extend", "small", "--jobs", "+1", "--quiet"],
    ["replay", "small"],
]


def test_what_this_user_began_is_run_without_a_question(home: Path, small: Hpo) -> None:
    assert stat.S_IMODE(key(home).stat().st_mode) == 0o600
    for command in RUNNING:
        assert small(*command).status == 0


def test_what_somebody_else_began_is_read_but_not_run(
    home: Path, small: Hpo, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = become_somebody_else(home, monkeypatch)
    before = (folder / "hpo.db").read_bytes()
    for command in ("studies", "show small", "top small", "jobs small", "export small"):
        assert small(*command.split()).status == 0
    for command in RUNNING:
        refused = small(*command)
        assert refused.status == 2
        assert "you have neither started nor trusted the study 'small'" in refused.err
        assert 'the command ["sh", "job.sh", "{x}"]' in refused.err
        assert f"in the folder {folder}" in refused.err
        assert "add --trust" in refused.err
    with pytest.raises(StoreError, match="trust=True"):
        hpo_core.load_study(folder / "hpo.db", "small").replay()
    assert (folder / "hpo.db").read_bytes() == before
    assert not key(other).exists(), "to be refused makes no key"


class Newer(PluginChoice, frozen=True):
    """A choice as a later version may have it: with one more field."""

    added: int | None = None


def test_a_field_that_a_later_version_adds_leaves_studies_their_users_own(
    home: Path, small: Hpo, folder: Path
) -> None:
    with Store(folder / "hpo.db") as store:
        study = store.study("small")
        config = stored_config(store, "small")
    for strategy, is_own in ((Newer("random"), True), (Newer("random", added=1), False)):
        later = copy.copy(config)
        msgspec.structs.force_setattr(later, "strategy", strategy)
        assert (why_foreign(study, later) is None) is is_own


def test_marks_of_all_fields_as_they_were_before_still_count(
    home: Path, small: Hpo, folder: Path
) -> None:
    with Store(folder / "hpo.db") as store:
        config = stored_config(store, "small")
    content = {
        "command": config.job.command,
        "function": None,
        "directory": str(folder),
        "environment": {},
        "parameters": msgspec.to_builtins(config.space),
        "strategy": {"name": "random", "options": {}},
        "backend": msgspec.to_builtins(config.backend),
        "observers": [],
    }
    text = json.dumps(content, sort_keys=True).encode()
    mark = hmac.new(key(home).read_bytes(), text, hashlib.sha256).hexdigest()
    for written, status in ((mark, 0), (mark[::-1], 2)):
        with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
            connection.execute("UPDATE study SET marks = ?", (written,))
        assert small("resume", "small", "--quiet").status == status


def test_trust_is_given_once_and_to_what_is_run_alone(
    home: Path, small: Hpo, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_somebody_else(home, monkeypatch)
    assert small("extend", "small", "--jobs", "+1", "--quiet", "--trust").status == 0
    assert small("extend", "small", "--jobs", "+1", "--quiet").status == 0
    monkeypatch.setenv("HOME", str(home))
    assert small("extend", "small", "--jobs", "+1", "--quiet").status == 0, "both may run it"


@pytest.mark.parametrize(
    "change",
    [
        '\'$.job.command\', json(\'["sh", "-c", "touch pwned"]\')',
        "'$.job.directory', '/'",
        "'$.job.environment', json('{\"LD_PRELOAD\": \"x.so\"}')",
        "'$.space.parameters[0].high', 2.0",
        "'$.strategy.name', 'process'",
    ],
)
def test_a_mark_does_not_fit_a_study_that_would_run_something_else(
    home: Path, small: Hpo, folder: Path, change: str
) -> None:
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute(
            f"UPDATE study SET state = 'interrupted', config = json_set(config, {change})"
        )
    refused = small("resume", "small", "--quiet")
    assert refused.status == 2
    assert "you have neither started nor trusted" in refused.err
    assert not (folder / "pwned").exists()


def test_a_mark_holds_wherever_the_store_is_copied(home: Path, small: Hpo, folder: Path) -> None:
    (folder / "copy").mkdir()
    shutil.copy(folder / "hpo.db", folder / "copy" / "hpo.db")
    store = ["--store", "copy/hpo.db"]
    assert small("extend", "small", "--jobs", "+1", "--quiet", *store).status == 0
    assert small("copy", "small", "--to", "backup.db").status == 0
    assert small("extend", "small", "--jobs", "+1", "--quiet", "--store", "backup.db").status == 0


def test_a_file_that_says_the_same_needs_no_trust_and_gives_it(
    home: Path, small: Hpo, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_somebody_else(home, monkeypatch)
    assert small("run", "study.toml", "--quiet").status == 0
    assert small("extend", "small", "--jobs", "+1", "--quiet").status == 0


def test_an_older_study_needs_trust_once(home: Path, released_store: Path, hpo: Hpo) -> None:
    assert hpo("show", "small").status == 0
    assert hpo("extend", "small", "--jobs", "+1", "--quiet").status == 2
    assert hpo("extend", "small", "--jobs", "+1", "--quiet", "--trust").status == 0
    assert hpo("extend", "small", "--jobs", "+1", "--quiet").status == 0


def test_key_that_others_can_read_is_rejected(home: Path, small: Hpo) -> None:
    key(home).chmod(0o644)
    refused = small("resume", "small", "--quiet")
    assert refused.status == 2
    assert f"chmod 600 {key(home)}" in refused.err
    key(home).chmod(0o600)
    assert small("resume", "small", "--quiet").status == 0


def test_unwritable_home_gives_a_warning_and_blocks_nothing(
    home: Path, write: Callable[..., None], hpo: Hpo, caplog: pytest.LogCaptureFixture
) -> None:
    (home / ".config").touch()  # in place of a folder
    write()
    assert hpo("run", "study.toml", "--quiet").status == 0
    assert "hpo resume will ask for --trust" in caplog.text
    assert hpo("resume", "small", "--quiet").status == 2


def change(folder: Path, path: str, value: str) -> None:
    """Change a stored configuration, as anybody may who can write to the store."""
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        connection.execute("UPDATE study SET config = json_set(config, ?, ?)", (path, value))


def test_a_file_marks_what_it_says_and_not_what_the_store_says(
    home: Path, small: Hpo, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(folder / "hpo.db") as store:
        mine = stored_config(store, "small")
    change(folder, "$.job.directory", "/")
    become_somebody_else(home, monkeypatch)
    HyperParameterOptimizer(mine, store=folder / "hpo.db").close()  # refused before it has run
    refused = small("extend", "small", "--jobs", "+1", "--quiet")
    assert refused.status == 2
    assert "in the folder /\n" in refused.err


CHANGED_ROWS = {
    "a trial that is under way": [
        "UPDATE trial SET state = 'running', configuration = '{\"x\": \"; rm\"}' WHERE id = 6",
        "UPDATE job SET state = 'running' WHERE trial = 6",
    ],
    "an enqueued one": [
        "INSERT INTO enqueued (study, configuration) VALUES (1, '{\"x\": 7.0}')",
    ],
}


@pytest.mark.parametrize("rows", CHANGED_ROWS.values(), ids=CHANGED_ROWS)
def test_a_mark_lets_nothing_be_run_that_the_parameters_do_not_allow(
    home: Path, small: Hpo, folder: Path, rows: list[str]
) -> None:
    with closing(sqlite3.connect(folder / "hpo.db")) as connection, connection:
        for row in rows:
            connection.execute(row)
    refused = small("extend", "small", "--jobs", "+1", "--quiet")
    assert refused.status in (1, 2)
    assert "which the parameters do not allow (x: " in refused.err
    jobs = small("jobs", "small", "--json").json()
    assert len([job for job in jobs if job["state"] == "completed"]) <= 6


def test_the_texts_of_parameters_are_shown_since_a_command_may_run_them(
    home: Path, write: Callable[..., None], hpo: Hpo, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = '[parameters.program]\ntype = "categorical"\nchoices = ["touch pwned", "true"]'
    write(
        ('["sh", "job.sh", "{x}"]', '["sh", "-c", "{program}", "{x}"]'),
        ("[parameters.x]", f"{program}\n\n[parameters.x]"),
    )
    hpo("run", "study.toml", "--quiet")
    become_somebody_else(home, monkeypatch)
    assert 'with the parameter program: "touch pwned", "true"' in hpo("resume", "small").err


@pytest.mark.parametrize("kind", ["a link", "a pipe", "too short"])
def test_key_of_another_kind_is_rejected(home: Path, small: Hpo, kind: str) -> None:
    content = key(home).read_bytes()
    key(home).unlink()
    match kind:
        case "a link":
            (home / "elsewhere").write_bytes(content)
            (home / "elsewhere").chmod(0o600)
            key(home).symlink_to(home / "elsewhere")
        case "a pipe":
            os.mkfifo(key(home), 0o600)
        case _:
            key(home).touch(0o600)
    refused = small("resume", "small", "--quiet")
    assert refused.status == 2
    assert f"the key {key(home)}" in refused.err


def test_a_callback_that_a_foreign_store_names_is_not_imported_without_trust(
    home: Path, hpo: Hpo, write: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "told.py").write_text("open('imported', 'a').close()\ndef done(finished): ...\n")
    write(("seed = 7", 'seed = 7\nobservers = ["told:done"]'))
    assert hpo("run", "study.toml", "--quiet").status == 0
    (folder / "imported").unlink()
    sys.modules.pop("told", None)
    become_somebody_else(home, monkeypatch)
    for command in ("show small", "jobs small", "export small --format study", "replay small"):
        hpo(*command.split())
    refused = hpo("extend", "small", "--jobs", "+1", "--quiet")
    assert refused.status == 2
    assert 'the function "told:done" for its events' in refused.err
    assert not (folder / "imported").exists()
    assert hpo("extend", "small", "--jobs", "+1", "--quiet", "--trust").status == 0
    assert (folder / "imported").exists()
