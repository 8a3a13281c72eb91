"""`job.resources`: read, stored, and given to a backend that supports them, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Int, InvalidInput, Resources, Study, load_study
from hpo_core.errors import PluginError

Publish = Callable[[str, str], None]

ROOMS = """
    from hpo_core.plugin import BackendSpec, Finished, Outcome, Started, hookimpl

    class Room:
        def __init__(self, context, options):
            self._resources, self._clock = context.resources, context.clock
            self._jobs = []

        def submit(self, job):
            self._jobs.append(job)

        def events(self, timeout):
            jobs, self._jobs = self._jobs, []
            return [event for job in jobs for event in self._run(job)]

        def _run(self, job):
            yield Started(job.id, self._clock.now())
            metrics = {"memory": float(self._resources.memory)}
            yield Finished(job.id, self._clock.now(), Outcome.COMPLETED, metrics=metrics)

        def cancel(self, job_id, *, grace): ...
        def wake(self): ...
        def adopt(self, jobs): return []
        def close(self): ...

    @hookimpl
    def hpo_backends():
        rooms = frozenset({"cpus", "memory"})
        return [BackendSpec(name="rooms", summary="Rooms", build=Room, resources=rooms)]
"""


@pytest.fixture(autouse=True)
def rooms(publish: Publish) -> None:
    publish("rooms", ROOMS)


def study(**settings: Any) -> Study:
    given: dict[str, Any] = {
        "command": ["true", "{x}"],
        "parameters": [Int("x", 1, 9)],
        "objective": "memory",
        "direction": "minimize",
        "budget": {"jobs": 1},
        "seed": 7,
        "backend": "rooms",
    }
    return Study(**{**given, **settings})


def test_a_backend_gets_the_resources_of_its_jobs() -> None:
    ran = study(resources={"memory": "2GB"})
    ran.run(progress=False)
    assert [trial.values for trial in ran.trials] == [{"memory": 2e9}]


def test_resources_are_stored(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    study(resources={"memory": "2GB", "cpus": 4}, store=store).run(progress=False)
    stored = load_study(store, "study")
    assert stored.config.job.resources == Resources(memory=2_000_000_000, cpus=4)


def test_the_faults_of_a_file_name_the_resource() -> None:
    with pytest.raises(InvalidInput) as raised:
        study(resources={"memory": "2 gigs"})
    assert "resources.memory: expected bytes, or text such as '8GB'" in str(raised.value)
    with pytest.raises(InvalidInput, match=r"resources\.cpu: unknown key; did you mean 'cpus'"):
        study(resources={"cpu": 1})


def test_a_backend_that_does_not_support_a_resource_refuses_the_study() -> None:
    with pytest.raises(
        PluginError,
        match=r"the backend 'rooms' does not support job\.resources\.gpus; leave it out",
    ):
        study(resources={"gpus": 1, "cpus": 2}).run(progress=False)
