"""``hpo export -o FILE`` overwrites an existing file only with ``--force``."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]


def export(hpo: Hpo, place: str | Path, *options: str) -> Any:
    return hpo("export", "small", "-o", str(place), *options)


def test_a_new_file_is_written_whole_and_is_the_users_alone(small: Hpo, folder: Path) -> None:
    before = set(folder.iterdir())
    assert export(small, "out.csv").status == 0
    written = folder / "out.csv"
    assert set(folder.iterdir()) - before == {written}
    assert written.read_text() == small("export", "small").out
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_an_existing_file_is_kept_without_force_and_replaced_with_it(
    small: Hpo, folder: Path
) -> None:
    precious = folder / "out.csv"
    precious.write_text("kept")
    ended = export(small, "out.csv")
    assert ended.status == 2
    assert "-o: out.csv already exists; name another file, or replace it with --force" in ended.err
    assert precious.read_text() == "kept"
    assert export(small, "out.csv", "--force").status == 0
    assert precious.read_text().startswith("trial_id,")
    assert stat.S_IMODE(precious.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["hpo.db", "other.sqlite", "link.db", "hpo.db-wal"])
def test_a_store_is_never_replaced(small: Hpo, folder: Path, name: str) -> None:
    small("run", "study.toml", "--quiet", "--store", "other.sqlite")
    (folder / "link.db").symlink_to("hpo.db")
    before = (folder / "hpo.db").read_bytes(), (folder / "other.sqlite").read_bytes()
    for options in ([], ["--force"]):
        ended = export(small, name, *options)
        assert ended.status == 2
        assert "store" in ended.err
        assert "name another file" in ended.err
    assert ((folder / "hpo.db").read_bytes(), (folder / "other.sqlite").read_bytes()) == before
    assert (folder / "link.db").is_symlink()
    assert not (folder / "hpo.db-wal").exists()


@pytest.mark.parametrize("target", ["precious", "no such file"])
def test_a_link_is_not_followed(small: Hpo, folder: Path, target: str) -> None:
    (folder / "precious").write_text("kept")
    link = folder / "link.csv"
    link.symlink_to(target)
    assert export(small, "link.csv").status == 2
    assert export(small, "link.csv", "--force").status == 0
    assert (folder / "precious").read_text() == "kept"
    assert not (folder / "no such file").exists()
    assert not link.is_symlink()
    assert link.read_text().startswith("trial_id,")


def test_streams_and_devices_are_written_to_directly(small: Hpo, folder: Path) -> None:
    text = small("export", "small").out
    assert export(small, "/dev/null").status == 0
    for place in ("/dev/stdout", "/dev/fd/1"):
        assert export(small, place).out == text
    assert export(small, "/dev/stderr").err == text
    command = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]
    with (folder / "redirected").open("w") as file:
        file.write("a line before\n")
        file.flush()
        subprocess.run([*command, "export", "small", "-o", "/dev/stdout"], stdout=file, check=True)
    assert (folder / "redirected").read_text() == "a line before\n" + text


def test_a_named_pipe_is_written_to_directly(small: Hpo, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((folder / "pipe").read_text()))
    reader.start()
    assert export(small, "pipe").status == 0
    reader.join()
    assert read == [small("export", "small").out]
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


def test_a_folder_and_a_socket_are_refused(small: Hpo, folder: Path) -> None:
    (folder / "there").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock")
        for place, says in (("there", "is a folder"), ("sock", "neither a file nor a stream")):
            ended = export(small, place, "--force")
            assert ended.status == 2
            assert says in ended.err


def test_force_is_rejected_by_exchanges_with_their_own_rule(small: Hpo) -> None:
    ended = small("export", "small", "--format", "optuna", "-o", "sqlite:///x.db", "--force")
    assert ended.status == 2
    assert "--force: optuna handles existing data itself" in ended.err


@pytest.mark.parametrize(("table", "rows"), [("trials", 6), ("jobs", 6), ("reports", 6)])
def test_each_table_is_written_in_each_format(
    small: Hpo, folder: Path, table: str, rows: int
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    printed = small("export", "small", "--table", table).out.splitlines()
    listed = small("export", "small", "--table", table, "--json").json()
    about = small(
        "export", "small", "--table", table, "--format", "parquet", "-o", "out.parquet", "--json"
    ).json()
    stored = parquet.read_table(folder / "out.parquet")
    assert about == {
        "name": "small",
        "format": "parquet",
        "file": "out.parquet",
        "trials": rows,
        "table": table,
        "rows": rows,
    }
    assert len(printed) - 1 == len(listed) == stored.num_rows == rows
    assert printed[0].split(",") == list(listed[0]) == stored.column_names


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--table", "jobs", "--format", "study"], "--table: is for the formats csv, json, parq"),
        (["--format", "parquet", "--json"], "--json: is for what is printed, and Parquet is no"),
        (["--table", "job"], "'job' is not one of 'trials', 'jobs', 'reports'"),
    ],
)
def test_a_table_that_is_not_written_is_refused(small: Hpo, options: list[str], said: str) -> None:
    ended = small("export", "small", *options)
    assert ended.status == 2
    assert said in ended.err
