"""Ranges, inequalities, lists and tables, from a study file to the store and back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hpo_core import InvalidInput, Study, load_study
from hpo_core.errors import PluginError
from hpo_core.plugin import same_value

CHOICES = [[0.9, 0.99], [0.9, 1], {"a": [1, True], "b": {}}, "[0.9, 1]", []]

FILE: dict[str, Any] = {
    "name": "kinds",
    "seed": 3,
    "strategy": "random",
    "objective": {"metric": "loss", "direction": "minimize"},
    "budget": {"jobs": 30},
    "backend": "inline",
    "job": {"function": "job:loss"},
    "linear": ["x + 2 * y <= 1", "y >= 0.1"],
    "parameters": {
        "x": {"type": "float", "low": 0, "high": 1, "step": 0.1},
        "y": {"type": "float", "low": 0, "high": 1, "step": 0.1},
        "layers": {"type": "int", "low": 1, "high": 3},
        "width": {"type": "int", "low": 8, "high": 9, "when": {"layers": ">= 2"}},
        "betas": {"type": "categorical", "choices": CHOICES},
    },
}

JOB = """
def loss(configuration):
    betas = configuration.get("betas")
    if isinstance(betas, list):
        betas.append("changed by the job, which is its own affair")
    return configuration["x"]
"""


@pytest.fixture
def study(tmp_path: Path) -> Any:
    (tmp_path / "job.py").write_text(JOB)

    def make(**changes: Any) -> Study:
        (tmp_path / "study.json").write_text(json.dumps({**FILE, **changes}))
        return Study.from_file(tmp_path / "study.json", store=tmp_path / "hpo.db")

    return make


STRATEGIES: list[Any] = [
    "random",
    "grid",
    "optuna:tpe",
    "optuna:random",
    "optuna:nsga2",
    "optuna:qmc",
    "optuna:bruteforce",
]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_suggestion_lies_in_the_space_and_comes_back_from_the_store_exactly(
    study: Any, tmp_path: Path, strategy: Any
) -> None:
    study(strategy=strategy).run()
    stored = load_study(tmp_path / "hpo.db", "kinds")
    space = stored.config.space
    assert len(stored.trials) == 30
    for trial in stored.trials:
        values = trial.configuration
        assert not space.wrong(values)
        assert values["x"] + 2 * values["y"] <= 1 + 1e-9
        assert ("width" in values) == (values["layers"] >= 2)
        assert any(same_value(values["betas"], choice) for choice in CHOICES)
    stored.extend(jobs=33)
    assert len(stored.resume().trials) == 33
    assert stored.replay().difference is None


def test_all_of_a_finite_space_is_run_once_and_nothing_else(study: Any) -> None:
    small = {
        "x": {"type": "float", "low": 0, "high": 1, "step": 0.5},
        "n": {"type": "int", "low": 1, "high": 3},
        "c": {"type": "categorical", "choices": [[1], [1.0]], "when": {"n": "> 2"}},
    }
    expected = 3 + 2 + 2 * 1  # n = 1 with any x, n = 2 with 0 and 0.5, n = 3 with 0 and two lists
    found = []
    for number, strategy in enumerate(("random", "grid", "optuna:bruteforce")):
        asked = study(
            strategy=strategy,
            parameters={**small},
            linear=["2 * x + n < 3.5"],
            budget={},
            name=f"kinds-{number}",
        )
        found.append({json.dumps(dict(t.configuration)) for t in asked.run().trials})
        assert len(asked.trials) == len(found[-1]) == expected
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("changes", "need"),
    [
        ({"linear": []}, "conditions on ranges and choices that are lists or tables"),
        ({}, "conditions on ranges and linear inequalities and choices that are lists or tables"),
    ],
)
def test_a_strategy_without_the_capability_is_refused_in_a_sentence(
    study: Any, changes: Any, need: str
) -> None:
    with pytest.raises(PluginError) as caught:
        study(strategy="bohb", **changes).check()
    said = str(caught.value)
    assert f"the study needs {need}, which the strategy 'bohb' does not support" in said
    assert "grid, " in said
    assert "random" in said


def test_all_faults_are_told_at_once(study: Any) -> None:
    parameters = dict(FILE["parameters"])
    parameters["width"] = {"type": "int", "low": 8, "high": 9, "when": {"layers": ">= 5"}}
    with pytest.raises(InvalidInput) as caught:
        study(linear=["x + z <= 1", "x <"], parameters=parameters)
    assert [fault.path for fault in caught.value.faults] == [
        "parameters.width.when.layers",
        "linear[0]",
        "linear[1]",
    ]


def test_in_python_inequalities_are_given_beside_the_parameters() -> None:
    from hpo_core import Float

    given: dict[str, Any] = {
        "function": lambda configuration: configuration["x"],
        "parameters": [Float("x", 0, 1), Float("y", 0, 1)],
        "objective": "loss",
        "direction": "minimize",
        "budget": {"jobs": 20},
        "backend": "inline",
    }
    study = Study(**given, linear=["x + y <= 0.5"]).run()
    assert all(sum(trial.configuration.values()) <= 0.5 for trial in study.trials)
    with pytest.raises(InvalidInput, match="linear: is part of the SearchSpace; give it there"):
        Study(**{**given, "parameters": study.config.space}, linear=["x <= 1"])


def test_a_study_is_written_as_a_file_that_reads_the_same(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hpo_core.cli.main import main

    asked = study()
    asked.run()
    for name in ("again.toml", "again.json"):
        place = ["--store", asked.store, "-o", str(tmp_path / name)]
        monkeypatch.setattr(sys, "argv", ["hpo", "export", "kinds", "--format", "study", *place])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        again = Study.from_file(tmp_path / name)
        assert again.config.space == asked.config.space
