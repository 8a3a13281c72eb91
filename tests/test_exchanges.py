"""Export to and import from other programs by plugins, here by a very small one."""

from __future__ import annotations

import importlib
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo_core import (
    Budget,
    Configuration,
    Constraint,
    HpoError,
    HyperParameterOptimizer,
    Int,
    InvalidInput,
    Objective,
    SearchSpace,
    Study,
    StudyConfig,
    load_study,
    optimize,
    registry,
    report,
)
from hpo_core.errors import StudyRunning
from hpo_core.plugin import (
    BaseStrategy,
    JobSettings,
    PluginChoice,
    Report,
    Start,
    Status,
    UnknownPlugin,
)

PAGE = Path(__file__).parents[1] / "docs/plugins.md"
LOSS = Objective("loss", "minimize")
SPACE = SearchSpace((Int("x", 1, 9),))


@pytest.fixture(autouse=True)
def file_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the exchange of the documentation as the plugin ``file``."""
    (block,) = re.findall(r"```python\n(import json\n.*?)```", PAGE.read_text(), re.DOTALL)
    folder = tmp_path / "installed"
    metadata = folder / "hpo_file-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hpo-file\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[hpo_core]\nfile = hpo_file_of_the_docs\n")
    (folder / "hpo_file_of_the_docs.py").write_text(textwrap.dedent(block))
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("hpo_file_of_the_docs", None)
    importlib.invalidate_caches()


def job(configuration: Configuration) -> dict[str, float]:
    x = float(configuration["x"])
    report(1, loss=x + 1)
    report(2, loss=x)
    if x == 3:
        raise ValueError("three")
    return {"loss": x, "memory": x - 5}


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with the study ``given``, x = 1 … 9, exported to ``given.json``."""
    store = str(tmp_path / "hpo.db")
    optimize(
        job,
        SPACE,
        objective=LOSS,
        constraints=["memory"],
        strategy="grid",
        backend="inline",
        name="given",
        store=store,
    )
    load_study(store, "given").export("file", str(tmp_path / "given.json"))
    return store


def taking(space: SearchSpace = SPACE, **changes: object) -> StudyConfig:
    given = {
        "name": "taking",
        "seed": 5,
        "strategy": PluginChoice("random"),
        "objectives": (LOSS,),
        "job": JobSettings(function="math:sqrt"),
        "space": space,
        "backend": PluginChoice("inline"),
        "budget": Budget(trials=3),
    }
    return StudyConfig(**{**given, **changes})


def test_the_deprecated_functions_export_and_import_a_study(store: str, tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        from hpo_core import Imported, export_study, import_study
    file = tmp_path / "again.json"
    assert export_study(store, "given", "file", str(file)).name == "given"
    assert file.read_text() == (tmp_path / "given.json").read_text()
    imported = import_study(taking(), tmp_path / "new.db", f"file:{file}")
    assert isinstance(imported, Imported)
    assert imported == Study.from_config(taking()).import_trials(f"file:{file}")


def test_trials_go_out_and_come_in_as_they_were(store: str, tmp_path: Path) -> None:
    config = taking(constraints=(Constraint("memory"),))
    imported = Study.from_config(config, store=store).import_trials(f"file:{tmp_path}/given.json")
    assert imported.trials == {number: number for number in range(1, 10)}
    with HyperParameterOptimizer(config, store=store) as optimizer:
        trials = optimizer.result().trials
    assert [trial.configuration["x"] for trial in trials] == list(range(1, 10))
    assert [trial.state.value for trial in trials].count("failed") == 1
    assert [trial.is_feasible for trial in trials[3:]] == [True, True, *[False] * 4]
    assert [trial.iteration for trial in trials] == [2] * 9


def test_a_stopped_trial_comes_in_with_the_last_value_of_its_curve(
    store: str, tmp_path: Path
) -> None:
    given = tmp_path / "given.json"
    exchanged = json.loads(given.read_text())
    first = exchanged["trials"][0]
    first |= {"state": "stopped", "values": None, "metrics": {}, "intermediate": {"1": 5, "4": 3}}
    given.write_text(json.dumps(exchanged))
    config = taking()
    Study.from_config(config, store=store).import_trials(f"file:{given}")
    with HyperParameterOptimizer(config, store=store) as optimizer:
        trial = optimizer.result().trials[0]
    assert (trial.state.value, trial.iteration, trial.metrics) == ("stopped", 4, {"loss": 3.0})


class Told(BaseStrategy):
    """Notes what it is told, and starts x = 1."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.adopted: list[int] = []

    def ask(self, trial_id: int, /) -> Start:
        return Start(Configuration(x=1))

    def adopt(self, trial_id: int, suggestion: object, /) -> None:
        self.adopted.append(trial_id)

    def tell(self, report: Report, /) -> object:
        self.reports.append(report)
        return super().tell(report)


def test_a_session_tells_the_strategy_what_came_in_as_its_history(
    store: str, tmp_path: Path
) -> None:
    config = taking(strategy=PluginChoice("grid"))
    Study.from_config(config, store=store).import_trials(f"file:{tmp_path}/given.json")
    from hpo_core.store.store import Store

    strategy = Told()
    with Store(store) as opened:
        strategy.restore(opened.history(opened.study("taking").id), None)
    assert strategy.adopted == list(range(1, 10))
    of_three = [report for report in strategy.reports if report.trial_id == 3]
    assert [(report.iteration, report.losses, report.status) for report in of_three] == [
        (1, (4.0,), Status.RUNNING),
        (2, (3.0,), Status.RUNNING),
        (2, None, Status.FAILED),
    ]


def test_what_came_in_is_not_run_again_by_a_strategy_that_visits_each_point_once(
    store: str, tmp_path: Path
) -> None:
    narrow = SearchSpace((Int("x", 2, 4),))
    with_grid = taking(SearchSpace((Int("x", 2, 11),)), strategy=PluginChoice("grid"))
    imported = Study.from_config(with_grid, store=store).import_trials(
        f"file:{tmp_path}/given.json"
    )
    assert [(one.number, one.reasons) for one in imported.misfits] == [
        (1, ("x: x lies between 2 and 11, got 1",))
    ]
    with HyperParameterOptimizer(with_grid, store=store, function=job) as optimizer:
        result = optimizer.run()
    assert [trial.configuration["x"] for trial in result.trials] == list(range(2, 12))
    assert result.usage.trials == 2
    imported = Study.from_config(taking(narrow, name="narrow"), store=store).import_trials(
        f"file:{tmp_path}/given.json"
    )
    assert list(imported.trials.values()) == [2, 3, 4]


def test_nothing_is_made_where_nothing_fits(store: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "new.db"
    config = taking(SearchSpace((Int("y", 1, 9),)))
    with pytest.raises(InvalidInput, match="no trial of 'given' can be imported") as caught:
        Study.from_config(config, store=elsewhere).import_trials(f"file:{tmp_path}/given.json")
    assert len(caught.value.faults) == 10
    with HyperParameterOptimizer(config, store=elsewhere) as optimizer:
        assert optimizer.result().trials == ()


def test_a_study_that_is_running_takes_nothing_in(store: str, tmp_path: Path) -> None:
    refusals = []

    def try_to_import(_: object) -> None:
        with pytest.raises(StudyRunning) as caught:
            Study.from_config(taking(), store=store).import_trials(f"file:{tmp_path}/given.json")
        refusals.append(str(caught.value))

    with HyperParameterOptimizer(taking(), store=store, function=job) as optimizer:
        optimizer.run(try_to_import)
    assert len(refusals) == 3


def test_a_plugin_without_an_exchange_is_an_error_that_says_so(store: str) -> None:
    with pytest.raises(UnknownPlugin, match=r"the plugin 'random' .* provides no exchange"):
        load_study(store, "given").export("random", "anywhere")
    with pytest.raises(HpoError, match="already exists; take another file"):
        load_study(store, "given").export("file", store)


def test_an_exchange_is_listed_with_the_other_things_that_plugins_bring() -> None:
    described = {found.plugin.name: found for found in registry.describe()}
    assert [one.summary for one in described["file"].exchanges] == ["A JSON file"]
    assert described["random"].exchanges == ()
