"""Controllers that are killed, in a crowd, or at work for long: the scripts of this folder, short.

`make faults` runs them as long as it takes to be sure.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hpo_core import (
    Budget,
    HyperParameterOptimizer,
    Int,
    JobSettings,
    Objective,
    PluginChoice,
    SearchSpace,
    StudyConfig,
)

FOLDER = Path(__file__).parent


def passes(script: str, *arguments: str) -> str:
    """Run a script, which must find no fault; return what it printed."""
    ended = subprocess.run(
        [sys.executable, str(FOLDER / script), *arguments], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_controller_that_is_killed_at_any_instant_loses_nothing_and_doubles_nothing() -> None:
    printed = passes("kill.py", "--kills", "8", "--jobs", "12", "--strategies", "random")
    for kind in ("command", "function"):
        row = re.search(rf"^random +{kind} +(\d+)", printed, re.MULTILINE)
        assert row, printed
        assert int(row[1]) >= 4, printed  # more if one came while another was being recovered from


@pytest.mark.parametrize("strategy", ["random", "optuna:tpe", "hillclimb"])
def test_an_interrupted_study_is_the_uninterrupted_one(strategy: str) -> None:
    arguments = ["--strategies", strategy, "--kills", "2", "--jobs", "10", "--kinds", "command"]
    assert "equal" in passes("resume.py", *arguments)


def test_processes_that_are_stopped_and_continued_hold_up_nothing_for_good() -> None:
    passes("pauses.py", "--seconds", "3", "--jobs", "4", "--reports", "2000")


def test_what_happened_counts_however_late_a_study_is_resumed() -> None:
    arguments = ["--studies", "1", "--rounds", "1", "--jobs", "6", "--strategies", "random"]
    passes("late.py", *arguments)


def test_a_crowd_around_a_running_study_hears_no_word_of_locks() -> None:
    passes("crowd.py", "--seconds", "6", "--sessions", "2")


def test_memory_does_not_grow_with_the_jobs() -> None:
    passes("soak.py", "--jobs", "10000")


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
