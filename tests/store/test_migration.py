"""Stores of earlier versions: their content is preserved, and behaves as before."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hpo_core import Budget, HyperParameterOptimizer, StudyConfig, load_study
from hpo_core.config import settled, to_json
from hpo_core.controller.stored.open_study import stored_config
from hpo_core.errors import StoreError, StudyChanged
from hpo_core.model.templates import Variables
from hpo_core.store import schema
from hpo_core.store.migration import with_old_values
from hpo_core.store.store import Store


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def columns(path: Path) -> dict[str, set[str]]:
    tables = [name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: {row[1] for row in rows(path, f"PRAGMA table_info({table})")} for table in tables
    }


def test_a_migrated_store_has_the_tables_of_a_new_one(released_store: Path, tmp_path: Path) -> None:
    Store(released_store).close()
    Store(tmp_path / "new.db").close()
    assert columns(released_store) == columns(tmp_path / "new.db")
    assert rows(released_store, "PRAGMA user_version") == [(schema.VERSION,)]


def test_migration_keeps_every_study_trial_job_and_event(released_store: Path) -> None:
    with Store(released_store) as store:
        study = store.study("small")
        assert [trial.losses for trial in store.trials(study.id)] == [
            (0.40356558787378927,),
            (0.5565829917879004,),
            (0.31317294557236885,),
        ]
        assert len(store.jobs(study.id)) == 3
        assert len(store.history(study.id)) == 9


def test_configuration_that_is_not_json_is_left_for_its_reader(released_store: Path) -> None:
    with closing(sqlite3.connect(released_store)) as connection, connection:
        connection.execute("UPDATE study SET config = '{'")
    with Store(released_store) as store:
        assert store.study("small").config == "{"


@pytest.mark.parametrize("version", [0, -5])
def test_a_version_that_was_never_written_is_damage(tmp_path: Path, version: int) -> None:
    path = tmp_path / "hpo.db"
    Store(path).close()
    rows(path, f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match=f"is damaged: it has the schema version {version}"):
        Store(path)


def config_of(store: Path) -> StudyConfig:
    with Store(store, create=False) as opened:
        return stored_config(opened, "small")


def without_new_keys(config: StudyConfig) -> StudyConfig:
    """Return a configuration as a file gives it that was written for schema 1."""
    job = msgspec.structs.replace(config.job, on_time_limit=None)
    return msgspec.structs.replace(config, job=job, max_failures_at_start=None)


def test_stored_studies_keep_the_behaviour_that_was_theirs(released_store: Path) -> None:
    config = config_of(released_store)
    assert config.job.on_time_limit == "fail"
    assert config.max_failures_at_start == 0
    assert settled(config) == config


def test_a_migrated_study_is_extended_and_resumed(released_store: Path) -> None:
    load_study(released_store, "small").extend(Budget(jobs=5))
    with HyperParameterOptimizer(config_of(released_store), store=released_store) as optimizer:
        result = optimizer.run()
    assert [trial.trial_id for trial in result.trials] == [1, 2, 3, 4, 5]
    assert [trial.values["loss"] for trial in result.trials][:2] == [
        0.40356558787378927,
        0.5565829917879004,
    ]


def test_a_file_that_omits_the_new_keys_is_the_stored_study(released_store: Path) -> None:
    config = config_of(released_store)
    with HyperParameterOptimizer(without_new_keys(config), store=released_store) as optimizer:
        assert optimizer.config == config


def test_a_file_that_gives_a_new_key_another_value_is_another_study(released_store: Path) -> None:
    config = config_of(released_store)
    job = msgspec.structs.replace(config.job, on_time_limit="complete")
    with pytest.raises(StudyChanged, match=r'job\.on_time_limit: "fail" -> "complete"'):
        HyperParameterOptimizer(msgspec.structs.replace(config, job=job), store=released_store)


def test_a_new_study_in_a_migrated_store_has_the_new_defaults(released_store: Path) -> None:
    given = msgspec.structs.replace(without_new_keys(config_of(released_store)), name="new")
    HyperParameterOptimizer(given, store=released_store).close()
    with Store(released_store) as store:
        new = stored_config(store, "new")
    assert (new.job.on_time_limit, new.max_failures_at_start) == ("complete", 5)


def test_braces_in_the_variables_of_older_studies_stay_braces() -> None:
    old = {"job": {"command": ["true"], "environment": {"JSON": '{"a": {lr}}', "PLAIN": "1"}}}
    new = with_old_values(old)["job"]["environment"]
    assert new == {"JSON": '{{"a": {{lr}}}}', "PLAIN": "1"}
    assert Variables(new).render({"lr": 0.5}) == old["job"]["environment"]


def test_a_study_that_was_extended_before_is_run_by_its_file_again(
    released_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Schema 1 did not record with which budget a study began: any smaller one may be it."""
    config = config_of(released_store)
    first = msgspec.structs.replace(config, budget=Budget(jobs=2))
    with HyperParameterOptimizer(first, store=released_store) as optimizer:
        assert optimizer.config == config
    assert "was extended: its budget is jobs 3, and not jobs 2 as given here" in caplog.text
    for other in (Budget(jobs=4), Budget(trials=2), Budget(jobs=2, trials=2)):
        with pytest.raises(StudyChanged, match="budget"):
            HyperParameterOptimizer(
                msgspec.structs.replace(config, budget=other), store=released_store
            )


NEWER: dict[str, object] = {
    "max_failures_at_start": 0,
    "job.on_time_limit": "fail",
    "job.reads_configuration": False,  # what it allows was not looked at
    "job.work": None,
    "job.iteration": None,
    "job.metrics_file": None,
    "job.metrics": {},
    "job.metrics_reader": None,
    "job.resources": None,
    "job.checkpoints": None,
    "job.tags": [],
    "space.linear": [],
}
"""Each key that schema 1 did not have, with the value by which a study behaves as it did then."""


def flat(table: dict[str, Any], path: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table.items():
        is_table = isinstance(value, dict) and key not in ("environment", "options", "metrics")
        found |= flat(value, f"{path}{key}.") if is_table else {f"{path}{key}": value}
    return found


def test_each_key_that_schema_1_did_not_have_has_its_old_value(released_store: Path) -> None:
    """Whoever adds a key, or gives one another meaning, says here what older studies get."""
    ((released,),) = rows(released_store, "SELECT config FROM study")
    Store(released_store).close()
    ((stored,),) = rows(released_store, "SELECT config FROM study")
    was, is_now = flat(json.loads(released)), flat(json.loads(stored))
    read = flat(json.loads(to_json(config_of(released_store))))
    assert {key: value for key, value in is_now.items() if key in was} == was
    assert {key: value for key, value in read.items() if key not in was} == NEWER
