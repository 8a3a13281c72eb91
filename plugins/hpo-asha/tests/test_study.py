"""Real studies: jobs with checkpoints, a stop and a resumption, a schedule in the store."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from hpo_core import (
    Budget,
    Float,
    Int,
    JobInfo,
    Objective,
    TrialState,
    load_study,
    optimize,
    report,
)

PARAMETERS = [Float("lr", 0.001, 1.0, log=True), Int("depth", 1, 8)]
LOSS = Objective("loss", "minimize")


def train(configuration: dict[str, Any], info: JobInfo) -> None:
    """Train from the checkpoint on, if there is one; keep all epochs there, and who did them."""
    file = Path(info.checkpoint_dir) / "epochs.json"
    epochs = json.loads(file.read_text()) if file.exists() else []
    for epoch in range(len(epochs) + 1, (info.iterations or 0) + 1):
        epochs.append([epoch, info.trial_id])
        file.with_suffix(".new").write_text(json.dumps(epochs))
        file.with_suffix(".new").replace(file)
        report(epoch, loss=abs(configuration["lr"] - 0.1) + configuration["depth"] / 8 + 1 / epoch)


def run(strategy: str, store: Path, budget: Budget, **options: Any) -> Any:
    return optimize(
        train,
        PARAMETERS,
        objective=LOSS,
        budget=budget,
        strategy=strategy,
        options=options,
        backend="inline",
        seed=3,
        store=store,
        max_iterations=9,
    )


def reports(store: Path) -> dict[int, list[int]]:
    """Return for each trial the iterations that its jobs reported, in order."""
    found = defaultdict(list)
    rows = sqlite3.connect(store).execute(
        "SELECT trial, iteration FROM log WHERE kind = 'running' ORDER BY seq"
    )
    for trial, iteration in rows:
        found[trial].append(iteration)
    return found


@pytest.mark.parametrize("strategy", ["asha", "asha:hyperband", "asha:sha"])
def test_a_resumed_job_continues_and_trains_no_epoch_twice(tmp_path: Path, strategy: str) -> None:
    result = run(strategy, tmp_path / "hpo.db", Budget(trials=12))
    trained = reports(tmp_path / "hpo.db")
    assert len(trained) == 12
    assert all(epochs == list(range(1, len(epochs) + 1)) for epochs in trained.values())
    assert {len(epochs) for epochs in trained.values()} >= {1, 3, 9}
    for trial in result.trials:
        is_done = len(trained[trial.trial_id]) == 9
        assert trial.state is (TrialState.COMPLETED if is_done else TrialState.PAUSED)


def test_a_model_based_searcher_works_with_it(tmp_path: Path) -> None:
    searcher = {"name": "optuna:tpe", "options": {"n_startup_trials": 4}}
    result = run("asha", tmp_path / "hpo.db", Budget(trials=20), searcher=searcher)
    assert len(result.trials) == 20
    assert result.best.iteration == 9


@pytest.mark.parametrize("strategy", ["asha", "asha:median"])
def test_jobs_are_stopped_early(tmp_path: Path, strategy: str) -> None:
    options = {"type": "stopping"} if strategy == "asha" else {"min_trials": 2}
    result = run(strategy, tmp_path / "hpo.db", Budget(trials=12), **options)
    states = [trial.state for trial in result.trials]
    assert states.count(TrialState.STOPPED) > 2
    assert states.count(TrialState.STOPPED) + states.count(TrialState.COMPLETED) == 12


def test_a_population_copies_checkpoints_and_its_schedules_are_stored(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    result = run(
        "asha:pbt", store, Budget(), population_size=4, quantile_fraction=0.25, perturb=("lr",)
    )
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETED] * 4
    rows = sqlite3.connect(store).execute(
        "SELECT trial, suggestion FROM log WHERE kind = 'resume' ORDER BY seq"
    )
    resumes = [(trial, json.loads(suggestion)) for trial, suggestion in rows]
    copies = [(trial, each) for trial, each in resumes if each["checkpoint_from"] is not None]
    assert copies
    for trial, each in copies:
        assert each["notes"]["from"] == each["checkpoint_from"] != trial
        assert set(each["notes"]["changed"]) <= {"lr"}
    (epochs,) = [  # of a trial that has copied: who trained which epoch
        json.loads(file.read_text())
        for file in tmp_path.glob(f"**/checkpoints/{copies[-1][0]}/epochs.json")
    ]
    assert [epoch for epoch, _ in epochs] == list(range(1, 10))
    assert len({trial for _, trial in epochs}) > 1


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("asha", {"searcher": "optuna:tpe"}),
        ("asha:sha", {}),
        ("asha:pbt", {"population_size": 4, "quantile_fraction": 0.25}),
    ],
)
def test_resumed_study_continues_exactly(
    tmp_path: Path, strategy: str, options: dict[str, Any]
) -> None:
    whole = run(strategy, tmp_path / "whole.db", Budget(jobs=30), **options)
    run(strategy, tmp_path / "parts.db", Budget(jobs=13), **options)
    load_study(tmp_path / "parts.db", "study").extend(Budget(jobs=30))
    parts = run(strategy, tmp_path / "parts.db", Budget(jobs=30), **options)
    assert [trial.configuration for trial in parts.trials] == [
        trial.configuration for trial in whole.trials
    ]
    assert [trial.losses for trial in parts.trials] == [trial.losses for trial in whole.trials]


@pytest.mark.parametrize("strategy", ["asha", "asha:sha", "asha:hyperband", "asha:pbt"])
def test_a_replay_knows_when_the_budget_of_trials_was_used_up(
    strategy: str, tmp_path: Path
) -> None:
    """From then on trials are promoted that otherwise would have waited, and no store says when."""
    store = tmp_path / "hpo.db"
    options = {"population_size": 5} if strategy == "asha:pbt" else {}
    run(strategy, store, Budget(trials=7), **options)
    assert load_study(store, "study").replay().is_as_stored
    load_study(store, "study").extend(Budget(trials=11))
    run(strategy, store, Budget(trials=11), **options)
    assert load_study(store, "study").replay().is_as_stored
