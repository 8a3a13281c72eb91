"""More sweeps of a real Hydra application: a dozen processes."""

from __future__ import annotations

from typing import Any

import pytest

import hpo_core as hpo

Sweeps = Any  # of conftest.py


def test_choices_reach_the_application_with_their_types(sweep: Sweeps) -> None:
    choices = "kind='a b','1',1,1.5,true,null,[1,2],{k: v}"
    sweep(choices, "hydra.sweeper.strategy=grid")
    assert sweep.study.config.space.by_name["kind"].size == 8
    kinds = [" ".join(run[2:-2]) for run in sweep.runs]
    assert kinds == ["'a b'", "'1'", "1", "1.5", "True", "None", "[1, 2]", "{'k': 'v'}"]


def test_tags_ranges_and_casts_become_scales_steps_and_integers(sweep: Sweeps) -> None:
    sweep(
        "x=tag(log,main,interval(0.001,1))", "n=int(interval(1,9))", "epochs=range(2,10,2)",
        "hydra.sweeper.n_trials=1", "hydra.sweeper.tags=[nightly]",
    )  # fmt: skip
    space = sweep.study.config.space
    assert space.by_name["x"] == hpo.Float("x", 0.001, 1.0, log=True)
    assert space.by_name["n"] == hpo.Int("n", 1, 9)
    assert space.by_name["epochs"] == hpo.Int("epochs", 2, 8, step=2)
    assert {"nightly", "x:main"} <= set(sweep.study.config.tags)


def test_a_finished_sweep_runs_nothing_again_and_grows(sweep: Sweeps) -> None:
    sweep("x=interval(-2,2)", "hydra.sweeper.n_trials=2")
    sweep("x=interval(-2,2)", "hydra.sweeper.n_trials=2")
    assert len(sweep.runs) == 2
    sweep("x=interval(-2,2)", "hydra.sweeper.n_trials=3")
    assert len(sweep.runs) == 3


def test_jobs_are_launched_in_batches_and_failures_are_recorded(sweep: Sweeps) -> None:
    done = sweep(
        "n=range(0,4)", "hydra.sweeper.n_jobs=2", "hydra.sweeper.strategy=grid", what="fail"
    )
    assert done.stdout.count("Launching 2 jobs") == 2
    states = [trial.state.value for trial in sweep.study.trials]
    assert states == ["completed", "failed", "completed", "completed"]
    assert sweep.study.trials[1].reason.startswith("RuntimeError: no epoch today")


def test_several_objectives_and_named_metrics(sweep: Sweeps) -> None:
    two = ["hydra.sweeper.direction=[minimize,minimize]", "hydra.sweeper.n_trials=4"]
    sweep("x=interval(-2,2)", *two, what="two")
    assert len(sweep.results.solutions) == len(sweep.study.pareto_front)
    named = ["hydra.sweeper.metric=loss", "hydra.sweeper.name=named", "hydra.sweeper.n_trials=2"]
    sweep("x=interval(-2,2)", *named, what="named")
    assert set(hpo.load_study(sweep.folder / "hpo.db", "named").best.metrics) == {"loss", "size"}


def test_strategies_that_stop_early_set_the_epochs_and_keep_the_folder(sweep: Sweeps) -> None:
    sweep(
        "x=interval(-2,2)", "hydra.sweeper.strategy=asha", "hydra.sweeper.max_iterations=9",
        "hydra.sweeper.iterations=epochs", "hydra.sweeper.checkpoint_dir=folder",
        "hydra.sweeper.n_trials=9",
    )  # fmt: skip
    assert {run[3] for run in sweep.runs} == {"1", "3", "9"}
    folders = [sweep.study.folder / "checkpoints" / str(trial) for trial in range(1, 10)]
    found = [{file.name for file in folder.iterdir()} for folder in folders]
    assert {"1", "3", "9"} in found


def test_the_study_cannot_be_resumed_without_its_application(sweep: Sweeps) -> None:
    sweep("x=interval(-2,2)", "hydra.sweeper.n_trials=1")
    sweep.study.extend(trials=2)
    with pytest.raises(hpo.errors.BackendError, match="run its application again"):
        sweep.study.resume()
