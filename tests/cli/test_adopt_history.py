"""``hpo resume --adopt-history``: a study continues after an update of its strategy, and back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]

PLUGIN = """
from hpo_core.plugin import BaseStrategy, Configuration, Start, StrategySpec, hookimpl

class Steps(BaseStrategy):
    def __init__(self, problem, options):
        self.adopted = []

    def adopt(self, trial_id, suggestion, /):
        if suggestion.configuration["x"] == REFUSED:
            raise ValueError("there is no such step")
        assert suggestion.notes is None, "notes are the other version's own"
        self.adopted.append(trial_id)

    def ask(self, trial_id, /):
        x = (trial_id + len(self.adopted)) / DIVISOR
        return Start(Configuration(x=x), notes={"version": DIVISOR})

    def save_state(self):
        return {"version": DIVISOR}

    def restore(self, history, saved, /):
        assert saved is None or saved.state == {"version": DIVISOR}, "another version's state"
        super().restore(history, saved)

@hookimpl
def hpo_strategies():
    return [StrategySpec(name="steps", summary="Walks", build=Steps)]
"""


class Lab:
    """A study whose strategy is a package of which two versions can be installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"

    def install(self, version: str, divisor: float, refused: float = -1.0) -> None:
        """Install a version in place of the other one."""
        shutil.rmtree(self.site, ignore_errors=True)
        information = self.site / f"hpo_steps-{version}.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: hpo-steps\nVersion: {version}\n"
        )
        (information / "entry_points.txt").write_text("[hpo_core]\nsteps = hpo_steps\n")
        text = PLUGIN.replace("DIVISOR", str(divisor)).replace("REFUSED", str(refused))
        (self.site / "hpo_steps.py").write_text(text)

    def hpo(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        paths = [str(self.site), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        ended = subprocess.run(
            [*HPO, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended

    def more(self, jobs: int) -> None:
        """Make the study unfinished again."""
        ended = self.hpo("extend", "small", "--jobs", str(jobs), "--quiet")
        assert "--adopt-history" in ended.stderr or ended.returncode == 0, ended.stderr

    def xs(self) -> list[float]:
        rows = json.loads(self.hpo("export", "small", "--format", "json").stdout)
        return [row["param.x"] for row in rows]


@pytest.fixture
def lab(folder: Path, write: Callable[..., Any]) -> Lab:
    write(('strategy = "random"', 'strategy = "steps"'), ("workers = 2", "workers = 1"),
          ("jobs = 6", "jobs = 3"), ("high = 1.0", "high = 100.0"))  # fmt: skip
    lab = Lab(folder)
    lab.install("1.0", 10.0)
    assert lab.hpo("run", "study.toml", "--quiet").returncode == 0
    assert lab.xs() == [0.1, 0.2, 0.3]
    return lab


def test_an_update_that_suggests_otherwise_is_warned_of_and_refused_with_the_way_on(
    lab: Lab,
) -> None:
    lab.install("2.0", 5.0)
    refused = lab.hpo("extend", "small", "--jobs", "5", "--quiet")
    assert refused.returncode == 1
    assert "was hpo-steps 1.0 when the study began, and is now hpo-steps 2.0" in refused.stderr
    assert "hpo resume small --adopt-history" in refused.stderr
    assert lab.xs() == [0.1, 0.2, 0.3]


def test_study_continues_with_its_stored_history_adopted(lab: Lab) -> None:
    lab.install("2.0", 5.0)
    lab.more(5)
    ended = lab.hpo("resume", "small", "--adopt-history", "--quiet")
    assert ended.returncode == 0, ended.stderr
    assert "adopts the 9 events that are stored; hpo replay starts there" in ended.stderr
    went_on = [(4 + 3) / 5, (5 + 3) / 5]
    assert lab.xs() == [0.1, 0.2, 0.3, *went_on]

    replayed = lab.hpo("replay", "small")
    assert replayed.returncode == 0
    assert (
        "all 2 suggestions and 4 decisions came out as stored; 3 configurations" in replayed.stdout
    )
    again = lab.hpo("extend", "small", "--jobs", "6", "--quiet")
    assert again.returncode == 0
    assert "WARNING" not in again.stderr, "it is the version of the study now"
    assert lab.xs()[-1] == (6 + 3) / 5


def test_downgrade_is_rejected_and_can_be_adopted(lab: Lab) -> None:
    lab.install("2.0", 5.0)
    lab.more(4)
    assert lab.hpo("resume", "small", "--adopt-history", "--quiet").returncode == 0
    lab.install("1.0", 10.0)
    refused = lab.hpo("extend", "small", "--jobs", "5", "--quiet")
    assert refused.returncode == 1
    assert "was hpo-steps 2.0 when the study began, and is now hpo-steps 1.0" in refused.stderr
    assert lab.hpo("resume", "small", "--adopt-history", "--quiet").returncode == 0
    assert lab.xs() == [0.1, 0.2, 0.3, (4 + 3) / 5, (5 + 4) / 10]
    assert lab.hpo("replay", "small").returncode == 0


def test_what_could_not_be_adopted_once_is_tried_by_each_later_version(lab: Lab) -> None:
    lab.install("2.0", 5.0, refused=0.2)
    lab.more(4)
    assert lab.hpo("resume", "small", "--adopt-history", "--quiet").returncode == 0
    lab.install("3.0", 4.0, refused=0.2)
    lab.more(5)
    refused = lab.hpo("resume", "small", "--adopt-history", "--quiet")
    assert refused.returncode == 0
    assert "trial 2 could not be adopted" in refused.stderr
    lab.install("1.0", 10.0)
    lab.more(6)
    assert lab.hpo("resume", "small", "--adopt-history", "--quiet").returncode == 0
    assert lab.xs()[-1] == (6 + 5) / 10, "it knows all five trials"
    assert lab.hpo("replay", "small").returncode == 0


def test_a_version_that_can_not_be_restored_leaves_the_study_to_the_earlier_one(lab: Lab) -> None:
    lab.install("2.0", 5.0)
    plugin = lab.site / "hpo_steps.py"
    text = plugin.read_text().replace("super().restore", "raise ValueError('no way')  # ")
    plugin.write_text(text)
    lab.more(4)
    failed = lab.hpo("resume", "small", "--adopt-history", "--quiet")
    assert failed.returncode == 1
    assert "no way" in failed.stderr
    lab.install("1.0", 10.0)
    assert lab.hpo("resume", "small", "--quiet").returncode == 0
    assert lab.xs() == [0.1, 0.2, 0.3, 0.4]


def test_what_can_not_be_adopted_is_listed_and_left_out_from_then_on(lab: Lab) -> None:
    lab.install("2.0", 5.0, refused=0.2)
    lab.more(4)
    ended = lab.hpo("resume", "small", "--adopt-history", "--quiet")
    assert ended.returncode == 0
    assert "trial 2 could not be adopted: ValueError: there is no such step" in ended.stderr
    assert lab.xs() == [0.1, 0.2, 0.3, (4 + 2) / 5]
    assert lab.hpo("extend", "small", "--jobs", "5", "--quiet").returncode == 0
    assert lab.xs()[-1] == (5 + 2) / 5
    assert lab.hpo("replay", "small").returncode == 0
