"""The contract of `ObserverSpec`: an observer with options, named in a file or in Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_core import Int, InvalidInput, Objective, Study, load_study, registry
from hpo_core.errors import PluginError

Publish = Callable[[str, str], None]

NOTES = """
    import json
    from pathlib import Path
    import msgspec
    from hpo_core.plugin import Fault, InvalidInput, JobFinished, ObserverSpec, hookimpl

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        path: str = "notes"
        every: int = 1

    class Notes:
        def __init__(self, study, options):
            if options.every < 1:
                raise InvalidInput([Fault("every", f"must be 1 or more, got {options.every}")])
            self._path = Path(options.path)
            self._path.write_text(json.dumps([study.name, study.store, study.config["seed"]]))
            self._options = options

        def observe(self, event, /):
            if isinstance(event, JobFinished):
                job = event.finished.job
                with open(self._path, "a") as file:
                    file.write("" if job.trial_id % self._options.every else f" {job.id}")

    @hookimpl
    def hpo_observer_specs():
        return [ObserverSpec(name="notes", summary="Notes", build=Notes, options=Options)]
"""


def square(configuration: Any) -> float:
    return float(configuration["x"] ** 2)


def study(*observers: Any, **settings: Any) -> Study:
    given: dict[str, Any] = {
        "function": square,
        "parameters": [Int("x", 0, 9)],
        "objective": Objective("loss", "minimize"),
        "budget": {"jobs": 4},
        "seed": 7,
        "backend": "inline",
        "observers": observers,
    }
    return Study(**{**given, **settings})


@pytest.fixture(autouse=True)
def notes(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish("notes", NOTES)
    monkeypatch.chdir(tmp_path)


def test_an_observer_is_named_and_is_told_what_happens(tmp_path: Path) -> None:
    study("notes").run(progress=False)
    assert (tmp_path / "notes").read_text() == '["study", null, 7] 1.1 2.1 3.1 4.1'


def test_its_options_reach_it_and_are_stored_with_their_defaults(tmp_path: Path) -> None:
    store = str(tmp_path / "hpo.db")
    study({"name": "notes", "options": {"every": 2}}, store=store).run(progress=False)
    assert (tmp_path / "notes").read_text() == f"{json.dumps(['study', store, 7])} 2.1 4.1"
    (stored,) = load_study(store, "study").config.observers
    assert not isinstance(stored, str)
    assert stored.options == {"path": "notes", "every": 2}


def test_a_resumed_study_has_its_observers_again(tmp_path: Path) -> None:
    store = str(tmp_path / "hpo.db")
    study({"name": "notes", "options": {"path": "mine"}}, store=store).run(progress=False)
    (tmp_path / "mine").unlink()
    again = load_study(store, "study")
    again.extend(jobs="+1")
    again.resume(function=square, progress=False)
    assert (tmp_path / "mine").read_text().endswith("] 5.1")


def test_a_file_names_observers_with_and_without_options(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(
        'name = "filed"\nstrategy = "random"\nbackend = "inline"\n'
        'observers = ["notes", { name = "notes", options = { path = "second" } }]\n'
        '[objective]\nmetric = "loss"\ndirection = "minimize"\n'
        '[budget]\njobs = 1\n[job]\nfunction = "math:fabs"\n'
        '[parameters.x]\ntype = "int"\nlow = 1\nhigh = 2\n'
    )
    first, second = Study.from_file(tmp_path / "study.toml").config.observers
    assert (first, getattr(second, "options", None)) == ("notes", {"path": "second"})


@pytest.mark.parametrize(
    ("observer", "said"),
    [
        ({"name": "notes", "options": {"evry": 2}}, "observers[0].options.evry: unknown key"),
        ({"name": "notes", "options": {"every": "x"}}, "observers[0].options.every: expected"),
        ({"name": "notes", "option": {}}, "observers[0].option: unknown key"),
        ({"options": {}}, "observers[0].name: missing"),
    ],
)
def test_bad_options_are_faults_with_their_place_before_anything_runs(
    observer: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput) as caught:
        study(observer)
    assert said in str(caught.value)
    assert not (tmp_path / "notes").exists()


def test_options_that_do_not_suit_the_study_are_refused_when_it_is_built(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    with pytest.raises(InvalidInput, match=r"observer 'notes'\.every: must be 1 or more"):
        study({"name": "notes", "options": {"every": 0}}, store=store).run(progress=False)
    assert not store.exists()


def test_an_observer_that_is_missing_is_refused() -> None:
    with pytest.raises(PluginError, match="no observer 'noted' is installed"):
        study("noted").run(progress=False)


def test_the_older_hook_works_as_it_did_and_takes_no_options(
    publish: Publish, tmp_path: Path
) -> None:
    publish(
        "older",
        """
        from pathlib import Path
        from hpo_core.plugin import StudyEnded, hookimpl

        class Older:
            def observe(self, event, /):
                if isinstance(event, StudyEnded):
                    Path("older").write_text(event.name)

        @hookimpl
        def hpo_observers(config):
            return [Older()]
        """,
    )
    study("older").run(progress=False)
    assert (tmp_path / "older").read_text() == "study"
    with pytest.raises(InvalidInput, match=r"observers\[0\].options: .* takes no options"):
        study({"name": "older", "options": {"a": 1}}).run(progress=False)


def test_a_spec_that_builds_no_observer_is_a_broken_plugin(publish: Publish) -> None:
    publish(
        "hollow",
        """
        from hpo_core.plugin import ObserverSpec, hookimpl

        @hookimpl
        def hpo_observer_specs():
            return [ObserverSpec(name="hollow", summary="", build=lambda study, options: 7)]
        """,
    )
    with pytest.raises(PluginError, match="'hollow' built 7, which has no method observe"):
        study("hollow").run(progress=False)


def test_hpo_plugins_lists_it() -> None:
    (found,) = [found for found in registry.describe() if found.plugin.name == "notes"]
    assert [spec.summary for spec in found.observers] == ["Notes"]
