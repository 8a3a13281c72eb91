"""The contract of `WorkSpec`: a backend runs its own kind of work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Int, InvalidInput, Study, load_study, registry
from hpo_core.errors import PluginError

Publish = Callable[[str, str], None]

SUMS = """
    import msgspec
    from hpo_core.plugin import BackendSpec, Finished, Outcome, Started, WorkSpec, hookimpl

    class Sum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        of: str
        plus: int = 0

    class Adder:
        def __init__(self, context, options):
            self._kind, self._work = context.work.kind, context.work.options
            self._clock = context.clock
            self._jobs = []

        def submit(self, job):
            self._jobs.append(job)

        def events(self, timeout):
            jobs, self._jobs = self._jobs, []
            return [event for job in jobs for event in self._run(job)]

        def _run(self, job):
            yield Started(job.id, self._clock.now())
            metrics = {self._kind: float(job.configuration[self._work.of] + self._work.plus)}
            yield Finished(job.id, self._clock.now(), Outcome.COMPLETED, metrics=metrics)

        def cancel(self, job_id, *, grace): ...
        def wake(self): ...
        def adopt(self, jobs): return []
        def close(self): ...

    @hookimpl
    def hpo_works():
        return [WorkSpec(name="sums", summary="A sum", options=Sum)]

    @hookimpl
    def hpo_backends():
        return [BackendSpec(name="sums", summary="Adds", build=Adder, works=frozenset({"sums"}))]
"""


@pytest.fixture(autouse=True)
def sums(publish: Publish) -> None:
    publish("sums", SUMS)


def study(**settings: Any) -> Study:
    given: dict[str, Any] = {
        "work": {"name": "sums", "options": {"of": "x", "plus": 2}},
        "parameters": [Int("x", 1, 9)],
        "objective": "sums",
        "direction": "minimize",
        "budget": {"jobs": 2},
        "seed": 7,
        "backend": "sums",
    }
    return Study(**{**given, **settings})


def test_a_backend_runs_its_own_kind_of_work() -> None:
    ran = study()
    ran.run(progress=False)
    expected = [{"sums": trial.configuration["x"] + 2.0} for trial in ran.trials]
    assert [trial.values for trial in ran.trials] == expected
    assert len(expected) == 2


def test_its_options_are_stored_with_their_defaults(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    study(store=store, work={"name": "sums", "options": {"of": "x"}}).run(progress=False)
    work = load_study(store, "study").config.job.work
    assert getattr(work, "options", None) == {"of": "x", "plus": 0}


def test_a_backend_that_does_not_declare_it_gets_no_function_that_cannot_be_imported() -> None:
    with pytest.raises(PluginError) as caught:
        study(work=None, function=lambda configuration: 0.0).run(progress=False)
    assert str(caught.value).startswith("the backend 'sums' imports a function in other processes")
    assert "<lambda>; define it with def at the top level of a file" in str(caught.value)
    assert "inline, local" in str(caught.value)


def test_its_options_are_checked_with_their_place() -> None:
    with pytest.raises(InvalidInput, match=r"work\.options\.plsu: unknown key"):
        study(work={"name": "sums", "options": {"of": "x", "plsu": 1}})
    with pytest.raises(InvalidInput, match=r"work\.options\.of: missing"):
        study(work="sums")


@pytest.mark.parametrize("backend", ["local", "inline"])
def test_a_backend_that_does_not_run_it_is_refused_with_those_that_do(backend: str) -> None:
    with pytest.raises(PluginError, match=f"{backend!r} does not run .* 'sums'; .* do: sums"):
        study(backend=backend).run(progress=False)


def test_work_stands_in_place_of_a_command_or_a_function() -> None:
    with pytest.raises(InvalidInput, match="give a command, function or work, and only one"):
        study(command=["true"])


def test_a_kind_that_is_missing_is_refused() -> None:
    with pytest.raises(PluginError, match="no work 'pods' is installed"):
        study(work="pods").run(progress=False)


def test_hpo_plugins_lists_it() -> None:
    (found,) = [found for found in registry.describe() if found.plugin.name == "sums"]
    assert [spec.summary for spec in found.works] == ["A sum"]
