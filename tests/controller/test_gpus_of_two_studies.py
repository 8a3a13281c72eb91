"""Two studies on one machine that are given the same GPU, which is only a name here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

JOB = """
import fcntl, os, sys
import hpo_core
lock = open("gpu-" + os.environ["CUDA_VISIBLE_DEVICES"], "w")
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if another job has it
with open("begun-" + sys.argv[1], "w") as begun:
    begun.write(os.environ["CUDA_VISIBLE_DEVICES"])
if sys.argv[1] == "first":
    open("gate").read()
hpo_core.report(loss=1.0)
"""

RUN = [sys.executable, "-c", "from hpo_core.cli.main import main; main()", "run"]


def start(folder: Path, name: str, gpus: list[int]) -> subprocess.Popen[str]:
    study = {
        "name": name,
        "strategy": "random",
        "seed": 1,
        "objective": {"metric": "loss", "direction": "minimize"},
        "budget": {"jobs": 1},
        "backend": {"name": "local", "options": {"gpus": gpus}},
        "job": {"command": ["{python}", "job.py", name], "resources": {"gpus": 1}},
        "parameters": {"x": {"type": "float", "low": 0, "high": 1}},
    }
    (folder / f"{name}.json").write_text(json.dumps(study))
    return subprocess.Popen(
        [*RUN, f"{name}.json", "--quiet", "--store", f"{name}.db"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job.py").write_text(JOB)
    for name in ("gate", "begun-first"):
        os.mkfifo(tmp_path / name)
    return tmp_path


def said_by(process: subprocess.Popen[str]) -> str:
    """Return the first line of what a command says."""
    assert process.stderr is not None
    return process.stderr.readline()


def test_a_study_waits_for_the_gpu_of_another_one_whose_controller_is_dead(folder: Path) -> None:
    first = start(folder, "first", [0])
    assert (folder / "begun-first").read_text() == "0"
    second = start(folder, "second", [0])
    said = said_by(second)
    assert "other studies use these GPUs: 0 (study 'first', process " in said
    assert "jobs wait until one is free" in said
    first.kill()  # its job goes on, and so does its supervisor, which has the lock
    first.wait()
    assert not (folder / "begun-second").exists()
    with open(folder / "gate", "w"):
        pass
    _, errors = second.communicate()
    assert second.returncode == 0, errors
    assert (folder / "begun-second").read_text() == "0"


def test_a_study_takes_the_gpus_that_no_other_one_has(folder: Path) -> None:
    first = start(folder, "first", [0])
    assert (folder / "begun-first").read_text() == "0"
    second = start(folder, "second", [0, 1])
    _, errors = second.communicate()
    assert second.returncode == 0, errors
    assert "jobs use the others" in errors
    assert (folder / "begun-second").read_text() == "1"
    with open(folder / "gate", "w"):
        pass
    first.communicate()
    assert first.returncode == 0
