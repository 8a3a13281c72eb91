"""``hpo export NAME --format study`` writes a file that ``hpo run`` reads as the same study."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hpo_core import (
    Budget,
    Categorical,
    Configuration,
    Constraint,
    Float,
    InvalidInput,
    Objective,
    optimize,
)
from hpo_core.plugin import BaseStrategy, Start

Hpo = Callable[..., Any]
Write = Callable[..., None]


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_a_study_that_is_exported_and_run_again_is_the_same_study(small: Hpo, suffix: str) -> None:
    assert small("export", "small", "--format", "study", "-o", f"again.{suffix}").status == 0
    ended = small("run", f"again.{suffix}", "--quiet")
    assert ended.status == 0
    assert ended.err == ""
    assert "Study 'small' finished: all 6 jobs of its budget have run." in ended.out


def test_exported_file_holds_the_given_values_and_no_defaults(small: Hpo, folder: Path) -> None:
    printed = small("export", "small", "--format", "study").out
    comment, _, text = printed.partition("\n\n")
    assert comment.startswith("# The study small")
    assert text == (folder / "study.toml").read_text().lstrip()


def test_a_file_in_another_folder_names_the_folder_of_the_jobs(small: Hpo, folder: Path) -> None:
    (folder / "sub").mkdir()
    small("export", "small", "--format", "study", "-o", "sub/again.toml")
    assert f'directory = "{folder}"' in (folder / "sub" / "again.toml").read_text()
    ended = small("run", "sub/again.toml", "--store", "other.db", "--quiet")
    assert ended.status == 0, ended.err


@pytest.mark.parametrize(
    ("strategy", "written"),
    [
        ('{ name = "grid", options = { points = 3 } }', 'options = { points = 3 }'),
        (
            '{ name = "asha", options = { searcher = { name = "optuna:tpe", options = '
            "{ n_startup_trials = 4, group = false } } } }",
            'options = { searcher = { name = "optuna:tpe", options = { n_startup_trials = 4 } } }',
        ),
        ('"optuna:tpe"', 'strategy = "optuna:tpe"'),
    ],
)  # fmt: skip
def test_options_that_a_plugin_fills_in_are_left_out(
    write: Write, hpo: Hpo, folder: Path, strategy: str, written: str
) -> None:
    write(('"random"', strategy), ('grace = "1m"', "max_iterations = 3"))
    hpo("run", "study.toml", "--quiet")
    hpo("export", "small", "--format", "study", "-o", "again.toml")
    assert f"{written}\n" in (folder / "again.toml").read_text()
    assert "' finished: " in hpo("run", "again.toml", "--quiet").out


class Mine(BaseStrategy):
    def ask(self, trial_id: int, /) -> Start:
        return Start(Configuration({"x": trial_id / 10}))


def loss(configuration: Mapping[str, Any]) -> float:
    return 1.0


def optimized(**changes: Any) -> None:
    """Run a study from Python in ``hpo.db``."""
    given: dict[str, Any] = {
        "function": loss,
        "parameters": [Float("x", 0, 1)],
        "objective": Objective("loss", "minimize"),
        "budget": Budget(jobs=2),
        "backend": "inline",
        "store": "hpo.db",
        **changes,
    }
    optimize(**given)


def test_a_study_of_optimize_is_written_and_is_the_same_study(hpo: Hpo, folder: Path) -> None:
    optimized(enqueue=[{"x": 0.25}], seed=2**62, time_limit=5400, max_failures_at_start=0)
    hpo("export", "study", "--format", "study", "-o", "again.toml")
    written = (folder / "again.toml").read_text()
    assert 'time_limit = "1h30m"' in written
    assert "enqueue = [{ x = 0.25 }]" in written
    assert "max_failures_at_start = 0" in written
    ended = hpo("run", "again.toml", "--quiet")
    assert (ended.status, ended.err) == (0, "")
    assert "' finished: " in ended.out


def test_a_study_of_an_earlier_version_keeps_what_was_its_default(
    released_store: Path, hpo: Hpo, folder: Path
) -> None:
    hpo("export", "small", "--format", "study", "-o", "again.toml")
    written = (folder / "again.toml").read_text()
    assert "max_failures_at_start = 0" in written
    assert 'on_time_limit = "fail"' in written
    ended = hpo("run", "again.toml", "--quiet")
    assert (ended.status, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strategy": Mine()}, "strategy: the study was run with an instance of "),
        ({"function": lambda configuration: 1.0}, "job.function: the study runs "),
    ],
)
def test_what_only_a_program_has_is_refused_with_the_remedy(
    hpo: Hpo, folder: Path, changes: dict[str, Any], said: str
) -> None:
    optimized(**changes)
    ended = hpo("export", "study", "--format", "study", "-o", "again.toml")
    assert ended.status == 2
    assert said in ended.err
    assert "which a file can't name; " in ended.err
    assert not (folder / "again.toml").exists()


def test_null_is_for_json_alone(hpo: Hpo, folder: Path) -> None:
    optimized(parameters=[Categorical("x", (0.5, None))])
    ended = hpo("export", "study", "--format", "study", "-o", "again.toml")
    assert ended.status == 2
    assert "parameters.x.choices[1] is null, which TOML can't express; write JSON" in ended.err
    assert hpo("export", "study", "--format", "study", "-o", "again.json").status == 0
    assert "' finished: " in hpo("run", "again.json", "--quiet").out


@pytest.mark.parametrize(
    "changes",
    [
        {"constraints": [Constraint("memory", math.inf)]},
        {"strategy": "grid", "options": {"points": math.inf}},
    ],
)
def test_a_number_without_an_end_is_an_error_since_no_store_keeps_it(
    folder: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match=r"must be a finite number, got -?inf; for no limit"):
        optimized(**changes)
    assert not (folder / "hpo.db").exists()
