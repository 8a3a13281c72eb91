"""Scripts that know nothing of hpo-core: drafted, tuned and stopped early without an edit."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_core import JobState, load_study

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

EXAMPLE = Path(__file__).parents[2] / "examples" / "unmodified"
SCRIPTS = ["prints", "writes_csv", "logs_events"]


def hpo(*arguments: str, folder: Path) -> str:
    """Run a command that succeeds, and return what it prints."""
    command = [sys.executable, "-c", "from hpo_core.cli.main import main; main()", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def without_choices(tables: dict[str, Any]) -> dict[str, Any]:
    """Return a study file without what its user has chosen."""
    chosen = ("name", "seed", "workers", "strategy", "budget")
    job = {
        key: value
        for key, value in tables["job"].items()
        if key not in ("environment", "max_iterations")
    }
    return {key: value for key, value in tables.items() if key not in chosen} | {"job": job}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_study_file_is_what_hpo_init_drafts(name: str, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / f"{name}.py", tmp_path)
    made = hpo("init", f"{name}.py", "--json", folder=tmp_path)
    drafted = tomllib.loads((tmp_path / "study.toml").read_text())
    written = tomllib.loads((EXAMPLE / f"{name}.toml").read_text())
    assert without_choices(drafted) == without_choices(written)
    assert json.loads(made)["questions"] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_does_not_know_hpo_core(name: str) -> None:
    assert "hpo" not in (EXAMPLE / f"{name}.py").read_text()


def test_the_pruner_stops_jobs_of_the_script_that_prints(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    options = ["--store", str(store), "--jobs", "8", "--workers", "1", "--quiet"]
    hpo("run", str(EXAMPLE / "prints.toml"), *options, folder=tmp_path)
    study = load_study(store, "prints")
    jobs = {job.state for job in study.jobs}
    assert jobs == {JobState.COMPLETED, JobState.STOPPED}
    for job in study.jobs:
        target = job.iteration == 20
        assert target == (job.state is JobState.COMPLETED), job
    assert study.best.value < 0.2
