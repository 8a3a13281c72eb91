"""Sweeps of a real Hydra application."""

from __future__ import annotations

from typing import Any

import pytest

Sweeps = Any  # of conftest.py


def test_a_sweep_runs_the_trials_of_a_study_and_writes_its_result(sweep: Sweeps) -> None:
    sweep(
        "x=interval(-2,2)", "n=range(0,3)", "kind=choice(a,'b c',2)",
        "+hydra.sweeper.params.fixed='z,y'", "fixed=same", "hydra.sweeper.n_trials=8",
        "hydra.sweeper.seed=1", "hydra.sweeper.strategy=optuna:tpe",
        "+hydra.sweeper.options.n_startup_trials=3",
    )  # fmt: skip
    assert len(sweep.runs) == len(sweep.study.trials) == 8
    for trial in sweep.study.trials:
        assert -2 <= trial.configuration["x"] <= 2
        assert trial.configuration["n"] in (0, 1, 2)
        expected = (trial.configuration["x"] - 1) ** 2 + trial.configuration["n"]
        assert trial.value == pytest.approx(expected)
    assert {run[-1] for run in sweep.runs} == {"same"}
    assert sweep.results.best_value == sweep.study.best.value
    assert dict(sweep.results.best_params) == dict(sweep.study.best.configuration)
    assert (sweep.folder / "sweep/7/.hydra/overrides.yaml").exists()


@pytest.mark.parametrize(("what", "status", "lost"), [("interrupt", 1, 0), ("kill", -9, 1)])
def test_an_interrupted_sweep_resumes_when_it_is_run_again(
    sweep: Sweeps, what: str, status: int, lost: int
) -> None:
    arguments = ["x=interval(-2,2)", "hydra.sweeper.n_trials=5", "hydra.sweeper.seed=4"]
    sweep(*arguments, what=what, status=status)
    assert len(sweep.runs) == 3
    done = sweep(*arguments)
    assert "Resuming the study 'app' in hpo.db" in done.stdout
    assert len(sweep.study.trials) == 5
    assert len(sweep.runs) == 5 + lost
    assert len({run[0] for run in sweep.runs}) == 5  # the lost job was run again


def test_another_space_or_configuration_is_an_error_without_a_traceback(sweep: Sweeps) -> None:
    sweep("x=interval(-2,2)", "hydra.sweeper.n_trials=1")
    changed = sweep("x=interval(-3,2)", "hydra.sweeper.n_trials=1", status=1)
    assert "parameters.x.low: -2.0 -> -3.0" in changed.stderr
    other = sweep("x=interval(-2,2)", "fixed=other", "hydra.sweeper.n_trials=1", status=1)
    assert "choose another hydra.sweeper.name" in other.stderr
    empty = sweep("hydra.sweeper.name=empty", status=1)
    assert "there is nothing to sweep over" in empty.stderr
    wrong = sweep("x=tag(log,interval(-1,1))", "n=interval(3,1)", status=1)
    assert "x: a log scale needs low above 0" in wrong.stderr
    assert "n: " in wrong.stderr
    assert "Traceback" not in changed.stderr + other.stderr + empty.stderr + wrong.stderr
