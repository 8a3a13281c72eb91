"""`hpo check`: a table or JSON, the counterexample with its remedy, and an honest exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpo_core.testing.checks import CHECKS

PLUGIN = """
from hpo_core.plugin import BaseStrategy, StrategySpec, hookimpl

class Helpless(BaseStrategy):
    def __init__(self, problem, options):
        pass

    def ask(self, trial_id, /):
        raise KeyError("no idea")

@hookimpl
def hpo_strategies():
    return [StrategySpec(name="helpless", summary="Knows nothing", build=Helpless)]
"""


def hpo(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from hpo_core.cli.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(path or "")},
    )


@pytest.fixture
def helpless(tmp_path: Path) -> Path:
    """Return a folder that stands on the path with a plugin whose strategy only raises."""
    info = tmp_path / "hpo_helpless-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hpo-helpless\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hpo_core]\nhelpless = helpless_plugin\n")
    (tmp_path / "helpless_plugin.py").write_text(PLUGIN)
    return tmp_path


def test_a_good_strategy_is_checked_with_its_options_and_the_exit_status_is_0() -> None:
    done = hpo("check", "grid", "-o", "points=3", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["strategy"], told["passed"]) == ("grid", True)
    assert [row["check"] for row in told["checks"]] == [check.name for check in CHECKS]
    assert {row["outcome"] for row in told["checks"]} == {"passed", "not applicable"}


def test_a_failure_shows_the_counterexample_and_the_remedy_and_the_exit_status_is_1(
    helpless: Path,
) -> None:
    done = hpo("check", "helpless", path=helpless)
    assert done.returncode == 1
    assert "suggestions_lie_in_the_space                FAILED" in done.stdout
    assert "    ask raised KeyError (helpless_plugin.py:9): 'no idea'" in done.stdout
    assert "    space: Float('a', " in done.stdout
    assert "    remedy: check with space.wrong(configuration)" in done.stdout
    assert "helpless (hpo-helpless 1.0): " in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nosuch"], "no strategy 'nosuch' is installed"),
        (["grid", "-o", "pionts=3"], "did you mean 'points'?"),
        (["grid", "-o", "points"], "expected KEY=VALUE"),
    ],
)
def test_bad_input_is_a_sentence_and_the_exit_status_is_2(
    arguments: list[str], sentence: str
) -> None:
    done = hpo("check", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_without_hypothesis_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "hypothesis.py").write_text(
        "raise ModuleNotFoundError('No module named hypothesis', name='hypothesis')"
    )
    done = hpo("check", "random", path=tmp_path)
    assert done.returncode == 2
    assert "pip install 'hpo-core[testing]'" in done.stderr
