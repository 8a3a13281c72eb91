"""`hpo check`: a table or JSON, the counterexample with its remedy, and the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from hpo_core import __version__
from hpo_core.testing.checks import CHECKS

PLUGIN = """
import os

from hpo_core.plugin import BaseStrategy, StrategySpec, hookimpl

class Helpless(BaseStrategy):
    def __init__(self, problem, options):
        pass

    def ask(self, trial_id, /):
        raise KeyError("no idea")

class Dies(Helpless):
    def ask(self, trial_id, /):
        os._exit(9)

def unbuilt(problem, options):
    raise ZeroDivisionError("not today")

@hookimpl
def hpo_strategies():
    return [
        StrategySpec(name=name, summary="Knows nothing", build=build)
        for name, build in [
            ("helpless", Helpless), ("helpless:dies", Dies), ("helpless:unbuilt", unbuilt)
        ]
    ]
"""

LIES_IN_SPACE = ("--only", "suggestions_lie_in_the_space")


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
    done = hpo("check", "grid", "-o", "points=3", "--examples", "1", "--long-runs", "1", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["strategy"], told["passed"]) == ("grid", True)
    assert [row["check"] for row in told["checks"]] == [check.name for check in CHECKS]
    assert {row["outcome"] for row in told["checks"]} == {"passed", "not applicable"}
    assert (told["kit"], told["effort"]) == (__version__, "quick, 1 example, 1 long run")
    assert told["options"] == {"points": 3}
    assert told["libraries"]["msgspec"] == metadata.version("msgspec")


def test_a_failure_shows_the_counterexample_and_the_remedy_and_the_exit_status_is_1(
    helpless: Path,
) -> None:
    done = hpo("check", "helpless", *LIES_IN_SPACE, path=helpless)
    assert done.returncode == 1
    assert "suggestions_lie_in_the_space  FAILED" in done.stdout
    assert "    ask raised KeyError (helpless_plugin.py:11): 'no idea'" in done.stdout
    assert "    space: Float('a', " in done.stdout
    assert "    remedy: check with space.wrong(configuration)" in done.stdout
    assert "helpless (hpo-helpless 1.0): " in done.stdout.splitlines()[-1]


def test_each_row_is_printed_before_the_next_check_begins(helpless: Path) -> None:
    done = hpo("check", "helpless:dies", path=helpless)
    assert done.returncode == 9, "it died in the second check"
    header, first = done.stdout.splitlines()
    assert header.split() == ["check", "outcome"]
    assert first.split() == ["accepts_what_it_declares", "passed"]


def test_a_strategy_that_cannot_be_made_is_a_failed_row_and_no_traceback(helpless: Path) -> None:
    done = hpo("check", "helpless:unbuilt", *LIES_IN_SPACE, path=helpless)
    assert done.returncode == 1
    raised = "building the strategy raised ZeroDivisionError (helpless_plugin.py:18)"
    assert f"    {raised}" in done.stdout
    assert "    space: Float('a', " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_only_the_checks_that_are_named_are_run_in_their_own_order() -> None:
    names = ("unknown_options_are_refused", "two_hundred_parameters_are_taken")
    done = hpo("check", "random", *(part for name in names for part in ("--only", name)), "--json")
    assert [row["check"] for row in json.loads(done.stdout)["checks"]] == [*reversed(names)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("badge.json", '"label": "hpo-core contract", "message": "1 check passed, 1 of '),
        ("badge.svg", '<svg xmlns="http://www.w3.org/2000/svg" '),
    ],
)
def test_a_badge_is_written_for_a_readme(tmp_path: Path, name: str, said: str) -> None:
    file = tmp_path / name
    done = hpo("check", "random", "--only", "unknown_options_are_refused", "--badge", str(file))
    assert done.returncode == 0
    assert said in file.read_text()
    assert "1 check passed" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nosuch"], "no strategy 'nosuch' is installed"),
        (["grid", "-o", "pionts=3"], "did you mean 'points'?"),
        (["grid", "-o", "points"], "expected KEY=VALUE"),
        (["grid", "--only", "nan_is_survivd"], "did you mean 'nan_is_survived'?"),
        (["grid", "--badge", "badge.png"], "'badge.png' must end with .svg or .json"),
        (["grid", "--badge", "no/such/badge.svg"], "there is no folder 'no/such'"),
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
