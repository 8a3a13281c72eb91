"""Stored studies keep the version of the rules that they began with."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import hpo_core
from hpo_core import Budget, Float, JobInfo, Objective, load_study
from hpo_core.config import from_json
from hpo_core.errors import StudyChanged
from hpo_core.store.store import Store


def train(configuration: Any, job: JobInfo) -> None:
    hpo_core.report(job.iterations or 28, loss=configuration["x"] + 1 / (job.iterations or 28))


def optimize(store: Path, trials: int, **options: Any) -> hpo_core.Result:
    return hpo_core.optimize(
        train,
        [Float("x", 0, 1)],
        objective=Objective("loss", "minimize"),
        budget=Budget(trials=trials),
        strategy="asha",
        options=options,
        backend="inline",
        seed=1,
        store=store,
        max_iterations=28,
    )


def stored_options(store: Path) -> dict[str, Any]:
    with Store(store) as opened:
        return from_json(opened.study("study").config).strategy.options


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store as it was written when there was no option ``rules``."""
    path = tmp_path / "hpo.db"
    optimize(path, 4, rules=1)
    with closing(sqlite3.connect(path)) as connection, connection:
        (text,) = connection.execute("SELECT config FROM study").fetchone()
        config = json.loads(text)
        del config["strategy"]["options"]["rules"]
        connection.execute("UPDATE study SET config = ?", (json.dumps(config),))
    return path


def test_a_stored_study_keeps_its_rungs(store: Path) -> None:
    hpo_core.load_study(store, "study").extend(Budget(trials=30))
    result = optimize(store, 30)
    reached = {trial.iteration for trial in result.trials}
    assert {1, 3, 9, 27} <= reached, "27 is close to the end, and no rung of the new rules"
    assert load_study(store, "study").replay().is_as_stored


def test_one_that_is_given_other_rules_is_another_study(store: Path) -> None:
    hpo_core.load_study(store, "study").extend(Budget(trials=30))
    with pytest.raises(StudyChanged, match=r"strategy\.options\.rules: 1 -> 2"):
        optimize(store, 30, rules=2)


def test_a_new_study_has_the_new_rules(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    result = optimize(store, 4)
    assert stored_options(store)["rules"] == 2
    assert [trial.state.value for trial in result.trials].count("completed") == 1


@pytest.mark.parametrize("most", [20, 27, 28, 30, 50])
@pytest.mark.parametrize("strategy", ["asha", "asha:sha", "asha:hyperband"])
def test_a_hundred_jobs_complete_trials_whatever_the_maximum(strategy: str, most: int) -> None:
    result = hpo_core.optimize(
        train,
        [Float("x", 0, 1)],
        objective=Objective("loss", "minimize"),
        budget=Budget(jobs=100),
        strategy=strategy,
        backend="inline",
        seed=1,
        max_iterations=most,
    )
    assert sum(trial.state.value == "completed" for trial in result.trials) >= 2
