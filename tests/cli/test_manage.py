"""``hpo copy``, ``rename``, ``delete`` and ``run --restart``."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]

Hpo = Callable[..., Any]
Write = Callable[..., None]

KEEPS = """
echo "$1" > "$HPO_CHECKPOINT_DIR/state"
echo "said $1"; echo "{\\"iteration\\": 1, \\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD
"""
WAITS = KEEPS + 'if [ -z "$IN_A_COPY" ]; then echo "$1" > began; read line < go; fi\n'


def rows(store: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(query).fetchall()


def exported(hpo: Hpo, *store: str) -> list[dict[str, Any]]:
    trials: list[dict[str, Any]] = hpo("export", "small", "--format", "json", *store).json()
    return trials


# -- copies -------------------------------------------------------------------------------------


def test_copy_has_every_trial_and_file_and_its_own_uid(
    write: Write, hpo: Hpo, folder: Path
) -> None:
    write(job=KEEPS)
    hpo("run", "study.toml", "--quiet")
    copied = hpo("copy", "small", "--to", "backup.db", "--json").json()
    assert (copied["trials"], copied["lost"]) == (6, [])
    assert exported(hpo, "--store", "backup.db") == exported(hpo)
    assert hpo("log", "small", "1", "--store", "backup.db").out == hpo("log", "small", "1").out
    ((uid,),) = rows(folder / "hpo.db", "SELECT uid FROM study")
    assert copied["uid"] != uid
    for trial in range(1, 7):
        state = f"checkpoints/{trial}/state"
        original = folder / "hpo.files" / uid / state
        copy = folder / "backup.files" / copied["uid"] / state
        assert copy.read_text() == original.read_text()
    assert hpo("extend", "small", "--jobs", "+1", "--quiet", "--store", "backup.db").status == 0
    assert hpo("replay", "small", "--store", "backup.db").status == 0
    assert len(exported(hpo)) == 6


def test_a_copy_of_a_study_that_runs_is_of_one_moment_and_loses_its_running_jobs(
    write: Write, hpo: Hpo, start: Any, folder: Path, began: Any, go: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write(job=WAITS)
    controller = start("run", "study.toml", "--quiet")
    for _ in range(3):
        began.line()
        go.let_one_go()
    began.line()
    copied = hpo("copy", "small", "--to", "backup.db", "--json").json()
    assert copied["lost"]
    jobs = hpo("jobs", "small", "--json", "--store", "backup.db").json()
    states = {job["id"]: job["state"] for job in jobs}
    assert {job for job, state in states.items() if state == "lost"} == set(copied["lost"])
    assert set(states.values()) == {"completed", "lost"}
    assert hpo("show", "small", "--json", "--store", "backup.db").json()["state"] == "interrupted"

    monkeypatch.setenv("IN_A_COPY", "1")
    assert hpo("resume", "small", "--quiet", "--store", "backup.db").status == 0
    for _ in range(6):
        go.let_one_go()
    assert controller.wait() == 0
    for store in ((), ("--store", "backup.db")):
        assert [trial["state"] for trial in exported(hpo, *store)] == ["completed"] * 6
    assert rows(folder / "hpo.db", "SELECT count(*) FROM job") == [(6,)]


def test_a_name_that_is_taken_is_refused_and_another_one_is_not(small: Hpo, folder: Path) -> None:
    assert small("copy", "small", "--to", "backup.db").status == 0
    files = sorted((folder / "backup.files").iterdir())
    for to in ("backup.db", "hpo.db"):
        refused = small("copy", "small", "--to", to)
        assert refused.status == 2
        assert f"the store {to} has a study 'small' already" in refused.err
    assert sorted((folder / "backup.files").iterdir()) == files
    assert small("copy", "small", "--to", "hpo.db", "--name", "again").status == 0
    assert small("extend", "again", "--jobs", "+1", "--quiet").status == 0


def test_a_copy_that_is_refused_leaves_nothing_behind(small: Hpo, folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    assert small("copy", "nobody", "--to", "backup.db").status == 2
    assert small("copy", "small", "--to", "backup.db", "--name", "../x").status == 2
    assert {path.name for path in folder.iterdir()} == before


# -- renamed, deleted, begun again --------------------------------------------------------------


def test_renamed_study_continues_under_its_new_name(small: Hpo) -> None:
    assert small("rename", "small", "other", "--yes").status == 0
    assert small("show", "small").status == 2
    assert small("extend", "other", "--jobs", "+1", "--quiet").status == 0
    assert small("run", "study.toml", "--name", "other", "--jobs", "7", "--quiet").status == 0
    assert len(small("jobs", "other", "--json").json()) == 7


def test_a_name_that_is_taken_or_invalid_is_refused(small: Hpo) -> None:
    small("run", "study.toml", "--name", "other", "--quiet")
    for name, says in (("other", "has a study 'other' already"), ("../x", "is not a valid name")):
        refused = small("rename", "small", name, "--yes")
        assert refused.status == 2
        assert says in refused.err


def test_a_deleted_study_is_gone_with_its_files(small: Hpo, folder: Path) -> None:
    small("run", "study.toml", "--name", "other", "--quiet")
    assert small("delete", "small", "--yes").status == 0
    assert [row["name"] for row in small("studies", "--json").json()] == ["other"]
    assert len(list((folder / "hpo.files").iterdir())) == 1
    for table in ("trial", "job", "log", "progress", "enqueued"):
        assert rows(folder / "hpo.db", f"SELECT 1 FROM {table} WHERE study = 1") == []


def test_deleting_ends_what_a_killed_controller_left_running(
    write: Write, hpo: Hpo, start: Any, folder: Path, began: Any, go: Any
) -> None:
    write(job="echo $$ > began; read line < go")
    controller = start("run", "study.toml", "--quiet")
    jobs = [int(began.line()), int(began.line())]
    refused = hpo("delete", "small", "--yes")
    assert refused.status == 2
    assert "is being run by process" in refused.err
    controller.kill()
    controller.wait()
    assert hpo("delete", "small", "--yes").status == 0
    for pid in jobs:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    "command",
    [["delete", "small"], ["rename", "small", "other"], ["run", "study.toml", "--restart"]],
)
def test_what_can_not_be_undone_asks_first(small: Hpo, folder: Path, command: list[str]) -> None:
    before = exported(small)
    refused = subprocess.run(
        [*HPO, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "There is no terminal to ask on: add --yes to do it" in refused.stderr
    terminal, end = pty.openpty()
    os.write(terminal, b"n\n")
    asked = subprocess.run([*HPO, *command], stdin=end, capture_output=True, text=True)
    os.close(terminal)
    os.close(end)
    assert asked.returncode == 130
    assert "[y/N]" in asked.stderr
    assert exported(small) == before


@pytest.mark.parametrize(
    "wrong",
    [
        ('strategy = "random"', 'strategy = "optuna:nosuch"'),
        ('"{x}"]', '"{x}"]\nreads_configuration = 3'),
        ("seed = 7", "seed = 7\nforbidden = [{ x = 0.5 }]"),
        ("workers = 2", 'workers = 2\nbackend = "inline"'),
    ],
    ids=["strategy", "value", "misuse", "backend"],
)
def test_restart_deletes_nothing_that_it_could_not_replace(
    small: Hpo, write: Write, folder: Path, wrong: tuple[str, str]
) -> None:
    ((first,),) = rows(folder / "hpo.db", "SELECT uid FROM study")
    write(wrong)
    assert small("run", "study.toml", "--restart", "--yes").status in (1, 2)
    assert rows(folder / "hpo.db", "SELECT uid FROM study") == [(first,)]
    assert len(exported(small)) == 6


def test_restart_starts_from_scratch(small: Hpo, write: Write, folder: Path) -> None:
    write(("jobs = 6", "jobs = 2"))
    assert small("run", "study.toml", "--restart", "--yes", "--quiet").status == 0
    assert len(exported(small)) == 2
    assert len(list((folder / "hpo.files").iterdir())) == 1
    assert small("run", "study.toml", "--name", "new", "--restart", "--quiet").status == 0


# -- run again ----------------------------------------------------------------------------------


def test_extended_study_continues_the_same_run(
    small: Hpo, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    assert small("extend", "small", "--jobs", "+2", "--quiet").status == 0
    assert small("extend", "small", "--jobs", "+1", "--quiet").status == 0
    assert small("run", "study.toml", "--quiet").status == 0
    assert "its budget is jobs 9, and not jobs 6 as given here" in caplog.text
    assert small("run", "study.toml", "--quiet", "--jobs", "8").status == 0
    assert len(exported(small)) == 9
    for jobs in ("5", "10"):
        refused = small("run", "study.toml", "--jobs", jobs)
        assert refused.status == 2
        assert f"budget.jobs: 9 -> {jobs}" in refused.err


def test_a_changed_configuration_lists_only_what_differs(small: Hpo, write: Write) -> None:
    write(
        ('["sh", "job.sh", "{x}"]', '["sh", "other.sh", "{x}"]'),
        ('strategy = "random"', 'strategy = "optuna:tpe"'),
        ("high = 1.0", "high = 2.0"),
    )
    refused = small("run", "study.toml")
    assert refused.status == 2
    listed = [line.strip() for line in refused.err.splitlines() if " -> " in line][1:]
    assert listed == [
        'strategy.name: "random" -> "optuna:tpe"',
        'job.command[1]: "job.sh" -> "other.sh"',
        "parameters.x.high: 1.0 -> 2.0",
    ]


def test_run_settings_of_a_finished_study_may_change_with_a_warning(
    small: Hpo, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write(("workers = 2", 'workers = 3\ntags = ["kept"]'))
    assert small("run", "study.toml", "--quiet").status == 0
    assert "from now on the study 'small' has workers: 2 -> 3" in caplog.text
    assert small("show", "small", "--json").json()["tags"] == ["kept"]


@pytest.mark.parametrize(
    "refused_for",
    [
        ('strategy = "random"', 'strategy = "asha"'),
        ("[job]", '[job]\ndirectory = "no/such/folder"'),
        ('strategy = "random"', 'strategy = "random"\nbackend = "inline"'),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_refused_run_leaves_nothing_behind(
    write: Write, hpo: Hpo, folder: Path, refused_for: tuple[str, str], is_there: bool
) -> None:
    if is_there:
        write()
        assert hpo("run", "study.toml", "--quiet", "--name", "first").status == 0
    write(refused_for)
    before = {str(path) for path in folder.rglob("*")}
    ended = hpo("run", "study.toml")
    assert ended.status == 2, ended
    assert {str(path) for path in folder.rglob("*")} == before
    if is_there:
        assert [study["name"] for study in hpo("studies", "--json").json()] == ["first"]
