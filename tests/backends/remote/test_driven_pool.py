"""A `DrivenPool` runs jobs by its driver, and says why that is gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hpo_core import Configuration
from hpo_core.plugin import (
    BackendContext,
    BackendError,
    DrivenPool,
    DriverReady,
    Finished,
    Job,
    JobEvent,
    Outcome,
    Work,
)


class Settings(msgspec.Struct, frozen=True):
    """Those of child_driver.py."""

    lock: str
    fails: str = ""
    dies: bool = False


class Clock:
    def now(self) -> float:
        return 0.0


class Pool(DrivenPool):
    def __init__(self, context: BackendContext, **told: Any) -> None:
        assert context.folder is not None
        lock = os.path.join(context.folder, "alive")
        settings = Settings(lock, **told)
        network = {"host": "127.0.0.1", "lock": lock}
        engine = "the engine of children"
        super().__init__(context, "child_driver", settings, engine=engine, is_own=True, **network)

    def check_room(self, ready: DriverReady, workers: int) -> None:
        assert ready.has == "everything"
        assert ready.room >= workers


@pytest.fixture(autouse=True)
def driver_can_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.path.dirname(__file__)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def context(tmp_path: Path) -> BackendContext:
    return BackendContext(
        study="valley",
        study_uid="u1",
        work=Work(command=("sh", "-c", """echo '{{"loss": 1}}' >&3"""), directory=str(tmp_path)),
        workers=2,
        clock=Clock(),
        decides=False,
        deliver=lambda event: None,
        folder=str(tmp_path / "files"),
    )


def job(number: int) -> Job:
    return Job(id=f"{number}.1", trial_id=number, name="", configuration=Configuration({}))


def events(pool: Pool) -> Iterator[JobEvent]:
    while True:
        yield from pool.events(60)


def test_jobs_run_on_workers_of_the_driver(context: BackendContext) -> None:
    pool = Pool(context)
    try:
        for number in (1, 2, 3):
            pool.submit(job(number))
        ends = (event for event in events(pool) if isinstance(event, Finished))
        found = [next(ends) for _ in range(3)]
    finally:
        pool.close()
    assert {(event.outcome, event.reason) for event in found} == {(Outcome.COMPLETED, "")}


def test_an_engine_that_cannot_be_started_is_an_error_with_its_reason(
    context: BackendContext,
) -> None:
    with pytest.raises(
        BackendError, match="the engine of children cannot be started: it has no electricity"
    ):
        Pool(context, fails="it has no electricity")


def test_a_driver_that_ends_fails_the_study_with_its_last_words(context: BackendContext) -> None:
    pool = Pool(context, dies=True)
    try:
        pool.submit(job(1))
        with pytest.raises(
            BackendError,
            match="the engine of children is gone or was restarted: the engine is out of order",
        ):
            next(events(pool))
    finally:
        pool.close()
