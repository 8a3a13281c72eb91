"""Copies of a study's folder do not affect the original; a moved folder remains the same study."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]
Write = Callable[..., None]
Start = Callable[..., subprocess.Popen[str]]

WAITS = """
if [ -z "$IN_A_COPY" ]; then echo "$1" > began; read line < go; fi
echo "{\\"iteration\\": 1, \\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD
"""


def copied(folder: Path) -> Path:
    """Copy the store with all that belongs to it, as it is."""
    copy = folder / "copy"
    copy.mkdir()
    for path in folder.glob("hpo.*"):
        subprocess.run(["cp", "-r", path, copy], check=True)
    return copy


def jobs(store: Path) -> list[tuple[int, int, str]]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(
            "SELECT trial, attempt, state FROM job ORDER BY trial, attempt"
        ).fetchall()


COMPLETED = [(trial, 1, "completed") for trial in range(1, 7)]


@pytest.mark.parametrize("original", ["runs on", "was killed"])
def test_a_copy_that_is_resumed_leaves_the_jobs_of_the_original_alone(
    write: Write,
    hpo: Hpo,
    start: Start,
    folder: Path,
    began: Any,
    go: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    original: str,
) -> None:
    write(job=WAITS)
    controller = start("run", "study.toml", "--quiet")
    began.line(), began.line()
    if original == "was killed":
        controller.kill()
        controller.wait()
    copy = copied(folder)

    monkeypatch.setenv("IN_A_COPY", "1")
    resumed = hpo("resume", "small", "--quiet", "--store", str(copy / "hpo.db"))
    assert resumed.status == 0
    assert "is a copy" in caplog.text
    assert {state for _, _, state in jobs(copy / "hpo.db")} == {"lost", "completed"}

    monkeypatch.delenv("IN_A_COPY")
    for _ in range(6):
        go.let_one_go()
    if original == "was killed":
        assert hpo("resume", "small", "--quiet").status == 0
    else:
        assert controller.wait() == 0
    assert jobs(folder / "hpo.db") == COMPLETED


def test_a_study_that_was_moved_takes_its_jobs_over(
    write: Write, hpo: Hpo, start: Start, folder: Path, began: Any, go: Any
) -> None:
    write(job=WAITS)
    controller = start("run", "study.toml", "--quiet")
    began.line(), began.line()
    controller.kill()
    controller.wait()
    moved = folder / "moved"
    moved.mkdir()
    for path in folder.glob("hpo.*"):
        os.rename(path, moved / path.name)

    for _ in range(6):
        go.let_one_go()
    assert hpo("resume", "small", "--quiet", "--store", str(moved / "hpo.db")).status == 0
    assert jobs(moved / "hpo.db") == COMPLETED


def test_a_new_study_finds_no_files_of_another_one_of_its_name(
    write: Write, hpo: Hpo, folder: Path
) -> None:
    counts = 'cd $HPO_CHECKPOINT_DIR; echo x >> seen; echo "{\\"loss\\": $(wc -l < seen)}" '
    write(job=counts + "> /dev/fd/$HPO_REPORT_FD")
    assert hpo("run", "study.toml", "--quiet").status == 0
    for path in folder.glob("hpo.db*"):
        path.unlink()
    for store in ("hpo.db", "hpo.sqlite"):  # the folder of both is hpo.files
        assert hpo("run", "study.toml", "--quiet", "--store", store).status == 0
        trials = hpo("jobs", "small", "--json", "--store", store).json()
        assert [trial["metrics"]["loss"] for trial in trials] == [1.0] * 6


# -- folders of schema 1 ------------------------------------------------------------------------


def own_folder(store: Path) -> Path:
    with closing(sqlite3.connect(store)) as connection:
        ((uid,),) = connection.execute("SELECT uid FROM study").fetchall()
    return store.with_name("hpo.files") / uid


def test_a_folder_of_schema_1_is_read_where_it_is_and_renamed_by_the_next_controller(
    released_store: Path, hpo: Hpo, folder: Path
) -> None:
    assert hpo("log", "small", "1").out == "said 0.4\n"
    assert hpo("show", "small", "--json").json()["files"] == str(folder / "hpo.files" / "small")
    assert hpo("extend", "small", "--jobs", "+1", "--quiet", "--trust").status == 0
    own = own_folder(released_store)
    assert [path.name for path in (folder / "hpo.files").iterdir()] == [own.name]
    assert str(own) in hpo("show", "small").out
    assert hpo("log", "small", "1").out == "said 0.4\n"
    assert (own / "checkpoints" / "1").is_dir()


def test_a_folder_of_schema_1_is_left_alone_while_a_job_lives_that_may_be_of_its_original(
    released_store: Path, hpo: Hpo, folder: Path
) -> None:
    """A copy has the original's uid, and schema 1 tells its processes by nothing else."""
    uid = own_folder(released_store).name
    with closing(sqlite3.connect(released_store)) as connection, connection:
        connection.execute("UPDATE job SET state = 'running', ended = NULL WHERE trial = 3")
        connection.execute("UPDATE trial SET state = 'running', losses = NULL WHERE id = 3")
        connection.execute("UPDATE study SET state = 'running'")
    where = 'echo "$HPO_CHECKPOINT_DIR" > where; echo "{\\"loss\\": 1}" > /dev/fd/$HPO_REPORT_FD'
    (folder / "job.sh").write_text(where)
    with subprocess.Popen(["sleep", "60"], env={**os.environ, "HPO_STUDY_UID": uid}) as job:
        for command in (["resume", "small", "--quiet", "--trust"], ["delete", "small", "--yes"]):
            refused = hpo(*command)
            assert refused.status == 2
            assert "which an earlier version of hpo-core has started" in refused.err
            assert f"{job.pid}; wait until they have ended" in refused.err
        assert job.poll() is None
        job.kill()
    assert hpo("resume", "small", "--quiet", "--trust").status == 0
    assert (folder / "where").read_text().strip() == str(
        own_folder(released_store) / "checkpoints" / "3"
    )
    assert [path.name for path in (folder / "hpo.files").iterdir()] == [
        own_folder(released_store).name
    ]


# -- the write-ahead log ------------------------------------------------------------------------


@pytest.fixture
def killed(write: Write, start: Start, began: Any, go: Any, folder: Path) -> Path:
    """The store of a study whose controller was killed after two jobs.

    It has a limit of time, so that a job starts only once the one before it is recorded.
    """
    timed = ("jobs = 6", 'jobs = 6\nwall_time = "1h"')
    write(("workers = 2", "workers = 1"), timed, job=WAITS)
    controller = start("run", "study.toml", "--quiet")
    for _ in range(2):
        began.line()
        go.let_one_go()
    began.line()
    controller.kill()
    controller.wait()
    go.let_one_go()  # the job that it leaves ends by itself
    return folder / "hpo.db"


def test_a_store_without_its_log_after_an_unclean_end_is_refused_with_the_remedy(
    killed: Path, hpo: Hpo, folder: Path
) -> None:
    (folder / "alone").mkdir()
    shutil.copy(killed, folder / "alone" / "hpo.db")
    for command in (["studies"], ["resume", "small"], ["run", "study.toml"], ["top", "small"]):
        refused = hpo(*command, "--store", "alone/hpo.db")
        assert refused.status == 2
        assert "alone/hpo.db is incomplete: it was not closed in order" in refused.err
        assert "hpo studies --store alone/hpo.db --accept-loss" in refused.err
    assert hpo("studies", "--store", "alone/hpo.db", "--accept-loss").status == 0
    assert hpo("show", "small", "--store", "alone/hpo.db").status == 0


def test_a_store_with_its_log_is_complete_and_then_so_is_the_file_alone(
    killed: Path, hpo: Hpo, folder: Path
) -> None:
    assert hpo("show", "small", "--json").json()["completed"] == 2
    shutil.copy(killed, folder / "alone.db")
    alone = hpo("show", "small", "--json", "--store", "alone.db")
    assert alone.json()["completed"] == 2


def test_a_store_that_was_closed_in_order_is_complete_alone(small: Hpo, folder: Path) -> None:
    (folder / "alone").mkdir()
    shutil.copy(folder / "hpo.db", folder / "alone" / "hpo.db")
    assert small("show", "small", "--json", "--store", "alone/hpo.db").json()["completed"] == 6
