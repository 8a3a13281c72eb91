"""`hpo new-strategy`: the written package works unchanged, for users and for its author."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hpo_core import InvalidInput, scaffold
from hpo_core.cli.scaffold import new_strategy_command

ROOT = Path(__file__).parents[1]
LONGEST = "a" + "-b" * ((scaffold.LONGEST - 1) // 2)


@pytest.mark.xdist_group("packages")  # which have built some of the wheels
@pytest.mark.parametrize("asktell", [False, True], ids=["plain", "asktell"])
def test_a_new_strategy_passes_every_check_in_a_new_environment(
    packaging: Any, tmp_path: Path, asktell: bool
) -> None:
    folder, *_ = scaffold.write("my-search", tmp_path, asktell=asktell)
    core = packaging.wheel(ROOT)
    commands = packaging.environment(tmp_path / "environment", core, f"{folder}[test]")
    for command, *arguments in (
        ("hpo", "check", "my-search", "--long-runs", "1"),
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy", "--strict", "hpo_my_search", "tests"),
        ("pytest",),
    ):
        finished = packaging.run(commands / command, *arguments, cwd=folder)
        assert finished.returncode == 0, f"{command}:\n{finished.stdout}{finished.stderr}"


@pytest.mark.parametrize("asktell", [False, True], ids=["plain", "asktell"])
@pytest.mark.parametrize("name", ["z", "my-search", LONGEST])
def test_what_is_written_is_in_order_whatever_the_name(
    name: str, asktell: bool, tmp_path: Path
) -> None:
    folder, *_ = scaffold.write(name, tmp_path, asktell=asktell)
    for arguments in (["check"], ["format", "--check"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments], cwd=folder, check=True)


def test_a_new_backend_is_in_order_and_runs_a_study(tmp_path: Path) -> None:
    folder, *files = scaffold.write_backend("my-engine", tmp_path)
    assert set(files) == {path for path in folder.rglob("*") if path.is_file()}
    for arguments in (["check"], ["format", "--check"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments], cwd=folder, check=True)
    info = folder / "hpo_my_engine-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hpo-my-engine\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[hpo_core]\nmy-engine = hpo_my_engine.plugin\n")
    (tmp_path / "job.py").write_text("def fit(values):\n    return values['x']\n")
    ran = subprocess.run(
        [sys.executable, "-c", _STUDY],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "4 completed\n"


_STUDY = """
from hpo_core import Budget, Float, Objective, optimize
from job import fit
result = optimize(
    fit, [Float("x", 0.0, 1.0)], objective=Objective("loss", "minimize"),
    budget=Budget(jobs=4), strategy="random", backend="my-engine", workers=2, store="hpo.db",
)
print(sum(trial.state.value == "completed" for trial in result.trials), "completed")
"""


def test_the_page_about_backends_builds_what_is_written(tmp_path: Path) -> None:
    page = (ROOT / "docs/write-a-backend.md").read_text(encoding="utf-8")
    folder, *_ = scaffold.write_backend("hosts", tmp_path)
    shown = re.findall(r"```python-fragment\n# (\S+)\n(.*?)```", page, re.DOTALL)
    assert {place for place, _ in shown} == {
        "hpo_hosts/options.py",
        "hpo_hosts/plugin.py",
        "hpo_hosts/backend.py",
        "tests/test_contract.py",
    }
    for place, text in shown:
        assert text == (folder / place).read_text(encoding="utf-8"), place


def test_every_template_is_written(tmp_path: Path) -> None:
    templates = {entry.name for entry in (resources.files(scaffold) / "templates").iterdir()}
    assert templates == set(scaffold._FILES)
    backend = {entry.name for entry in (resources.files(scaffold) / "backend").iterdir()}
    assert backend == set(scaffold._BACKEND)
    others = {entry.name for entry in (resources.files(scaffold) / "asktell").iterdir()}
    assert others == set(scaffold._ASKTELL)
    folder, *files = scaffold.write("my-search", tmp_path)
    assert set(files) == {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name", ["", "My-search", "my_search", "2nd", "a--b", "-a", "größe", "../x"]
)
def test_a_name_that_cannot_be_one_is_refused_with_an_example(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"small letters, digits and dashes.*: my-search"):
        scaffold.write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="longer than"):
        scaffold.write(LONGEST + "ccc", tmp_path)


def test_the_name_of_the_core_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="hpo-core itself"):
        scaffold.write("core", tmp_path)


def test_the_name_of_an_installed_plugin_is_refused_and_says_whose_it_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"taken by the installed plugin local \(hpo-core "):
        scaffold.write("local", tmp_path)


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    kept = tmp_path / "hpo-my-search" / "notes.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(InvalidInput, match="already exists; move it away"):
        scaffold.write("my-search", tmp_path)
    assert [path.name for path in kept.parent.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="give another --directory"):
        scaffold.write("my-search", tmp_path / "file")


def test_the_command_writes_a_strategy_of_a_library_that_is_asked_and_told(tmp_path: Path) -> None:
    arguments = ["my-search", "--asktell", "--directory", str(tmp_path)]
    assert CliRunner().invoke(new_strategy_command, arguments).exit_code == 0
    package = tmp_path / "hpo-my-search" / "hpo_my_search"
    assert "(AskTell)" in (package / "strategy.py").read_text()
    assert not (package / "options.py").exists()


def test_the_command_lists_the_files_and_says_what_comes_next(tmp_path: Path) -> None:
    told = CliRunner().invoke(new_strategy_command, ["my-search", "--directory", str(tmp_path)])
    assert told.exit_code == 0
    for said in ("hpo_my_search/strategy.py", "hpo check my-search", "licence is your choice"):
        assert said in told.output
