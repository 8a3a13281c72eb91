"""Short runs of the scripts in this folder: killed controllers, many processes, long studies.

`make faults` runs the scripts for longer.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hpo_core import Budget, HyperParameterOptimizer, Int, Objective, SearchSpace, StudyConfig
from hpo_core.plugin import JobSettings, PluginChoice

FOLDER = Path(__file__).parent


def passes(script: str, *arguments: str) -> str:
    """Run a script, which must find no fault; return its output."""
    ended = subprocess.run(
        [sys.executable, str(FOLDER / script), *arguments], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_killed_controller_neither_loses_nor_repeats_jobs() -> None:
    printed = passes("kill.py", "--kills", "8", "--jobs", "12", "--strategies", "random")
    for kind in ("command", "function"):
        row = re.search(rf"^random +{kind} +(\d+)", printed, re.MULTILINE)
        assert row, printed
        assert int(row[1]) >= 4, printed  # more if one came while another was being recovered from


@pytest.mark.parametrize("strategy", ["random", "optuna:tpe", "hillclimb"])
def test_interrupted_study_equals_an_uninterrupted_one(strategy: str) -> None:
    arguments = ["--strategies", strategy, "--kills", "2", "--jobs", "10", "--kinds", "command"]
    assert "equal" in passes("resume.py", *arguments)


def test_stopped_and_continued_processes_lose_no_reports() -> None:
    printed = passes("pauses.py", "--seconds", "3", "--jobs", "4", "--reports", "2000")
    rows = re.findall(r"^(random|process|asha) +(command|function) +(\d+)", printed, re.MULTILINE)
    assert len(rows) == 6, printed
    assert all(int(pauses) > 0 for *_, pauses in rows), printed


def test_reports_count_however_late_a_study_is_resumed() -> None:
    arguments = ["--studies", "1", "--rounds", "1", "--jobs", "6", "--strategies", "random"]
    printed = passes("late.py", *arguments)
    rows = re.findall(r"^random (\w+) \d+ \d+ (\d+)$", printed, re.MULTILINE)
    assert rows == [("function", "0"), ("command", "0")], printed


def test_other_commands_on_a_running_study_report_no_locks() -> None:
    printed = passes("crowd.py", "--seconds", "6", "--sessions", "2")
    assert printed.splitlines()[-1] == "0 faults"


def test_memory_does_not_grow_with_the_jobs() -> None:
    printed = passes("soak.py", "--jobs", "10000")
    assert "resumed with 10 jobs more: " in printed
    assert "memory grows" not in printed


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
def test_each_commit_waits_for_the_disk_if_that_is_asked_for(
    tmp_path: Path, durability: str, synchronous: int
) -> None:
    """What that comes to when the power is cut, `power.py` tries."""
    seen = []

    def job(configuration: dict[str, int]) -> int:
        seen.append(optimizer._store.connection.execute("PRAGMA synchronous").fetchone()[0])
        return configuration["x"]

    config = StudyConfig(
        name="s",
        seed=7,
        strategy=PluginChoice("random"),
        backend=PluginChoice("inline"),
        objectives=(Objective("loss", "minimize"),),
        job=JobSettings(function="here:job"),
        space=SearchSpace((Int("x", 1, 9),)),
        budget=Budget(jobs=2),
        durability=durability,  # type: ignore[arg-type]  # a parameter of the test
    )
    with HyperParameterOptimizer(config, store=tmp_path / "hpo.db", function=job) as optimizer:
        optimizer.run()
    assert seen == [synchronous] * 2
