"""Faulty machines: full disks, invalid stores, limits that are reached; see `bad_machine.py`."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bad_machine import CASES, machine, needs, verdict

from hpo_core import Budget, Float, HyperParameterOptimizer, Objective, SearchSpace, StudyConfig
from hpo_core.errors import StudyFailed
from hpo_core.plugin import JobSettings, PluginChoice
from hpo_core.store import database


@pytest.mark.parametrize("name", [name for name in CASES if name != "locked_store"])
def test_failure_gives_a_message_and_loses_no_record(name: str) -> None:
    if why := needs(name):
        pytest.skip(why)
    with machine() as on:
        ended = CASES[name][0](on)
        assert verdict(name, on, ended) == []


def study(folder: Path, **budget: Any) -> StudyConfig:
    return StudyConfig(
        name="s",
        seed=7,
        strategy=PluginChoice("random"),
        objectives=(Objective("loss", "minimize"),),
        job=JobSettings(function="here:fit", directory=str(folder)),
        space=SearchSpace((Float("x", 0.0, 1.0),)),
        budget=Budget(**budget),
        backend=PluginChoice("inline"),
    )


def loss(configuration: Mapping[str, Any]) -> float:
    return float(configuration["x"])


def test_a_store_that_another_process_holds_for_too_long_ends_the_study_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.2)
    config, store = study(tmp_path, jobs=20), tmp_path / "hpo.db"
    with HyperParameterOptimizer(config, store=store, function=loss) as optimizer:
        optimizer.run(lambda job: optimizer.stop() if job.job.trial_id == 10 else None)
    with (
        closing(sqlite3.connect(store, isolation_level=None)) as other,
        HyperParameterOptimizer(config, store=store, function=loss) as optimizer,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StudyFailed, match="is locked: another process has held it for too lo"):
            optimizer.run()
    with HyperParameterOptimizer(config, store=store, function=loss) as optimizer:
        assert [trial.trial_id for trial in optimizer.run().trials] == list(range(1, 21))


def test_a_clock_that_is_set_back_by_a_day_moves_no_time_of_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time

    def set_back(configuration: Mapping[str, Any]) -> float:
        monkeypatch.setattr(time, "time", lambda: now() - 86400)
        return loss(configuration)

    config, store = study(tmp_path, jobs=5, wall_time=600), tmp_path / "hpo.db"
    for last in (2, 5):  # in the second session it is a day earlier from the beginning
        with HyperParameterOptimizer(config, store=store, function=set_back) as optimizer:
            optimizer.run(lambda job: optimizer.stop() if job.job.trial_id == last else None)
            assert 0 <= optimizer.elapsed < 60
            assert 540 < optimizer.remaining["wall_time"] <= 600
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute(
            "SELECT queued, started, ended FROM job WHERE state = 'completed' ORDER BY trial"
        ).fetchall()
    assert len(rows) == 5
    assert all(queued <= started <= ended < queued + 60 for queued, started, ended in rows)
    assert rows[2][0] < rows[1][0] - 86000
