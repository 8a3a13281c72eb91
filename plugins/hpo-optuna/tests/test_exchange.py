"""Studies are written for Optuna and its dashboard, and read from it for a warm start."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest
from hpo_optuna.exchange import fitting, read_study, write_study

from hpo_core import (
    Budget,
    Categorical,
    Constant,
    Float,
    HpoError,
    Int,
    Objective,
    ParameterSet,
    Result,
    SearchSpace,
    TrialState,
    optimize,
    report,
)

SPACE = SearchSpace(
    (
        Categorical("model", ("linear", "tree", None)),
        Int("depth", 1, 9, step=2, when={"model": "tree"}),
        Float("lr", 1e-4, 1e-1, log=True),
        Float("dropout", 0, 0.5, step=0.1),
        Categorical("flag", (1, 1.0, True)),
        ParameterSet("data", ({"scaler": "none", "size": 1}, {"scaler": "unit", "size": 2})),
        Constant("version", 3),
    )
)


def job(configuration: Any) -> float:
    for step in (1, 2, 3):
        report(step, loss=configuration["lr"] + 1 / step)
    if configuration["model"] is None:
        raise ValueError("there is no model")
    return float(configuration["lr"])


@pytest.fixture(scope="module")
def result() -> Result:
    return optimize(
        job,
        SPACE,
        objective=Objective("loss", "minimize"),
        budget=Budget(trials=25),
        strategy="optuna:random",
        backend="inline",
        seed=3,
        name="mine",
    )


REPORTS = {2: {1: 1.5, 2: 0.75}}
TIMES = {2: (1_700_000_000.0, 1_700_000_060.0)}


@pytest.fixture
def url(result: Result, tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/f.db"
    assert write_study(result, url, reports=REPORTS, times=TIMES) == "mine"
    return url


def test_optuna_opens_what_is_written(result: Result, url: str) -> None:
    study = optuna.load_study(study_name="mine", storage=url)
    states = {TrialState.COMPLETED: "COMPLETE", TrialState.FAILED: "FAIL"}
    assert [each.state.name for each in study.trials] == [states[t.state] for t in result.trials]
    assert {each.state.name for each in study.trials} == {"COMPLETE", "FAIL"}
    assert study.best_value == result.best.value
    assert study.best_trial.params["lr"] == result.best.configuration["lr"]
    assert study.metric_names == ["loss"]
    assert [dict(each.params, flag=0) for each in study.trials] == [
        dict(each.configuration, flag=0) for each in result.trials
    ]
    second = study.trials[1]
    assert second.intermediate_values == REPORTS[2]
    assert second.duration is not None
    assert second.duration.total_seconds() == 60
    assert second.distributions["lr"] == optuna.distributions.FloatDistribution(
        1e-4, 1e-1, log=True
    )


def test_optunas_dashboard_shows_it(url: str) -> None:
    dashboard = pytest.importorskip("optuna_dashboard")

    class Silent(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with make_server("127.0.0.1", 0, dashboard.wsgi(url), handler_class=Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/api/studies"
        studies = fetched(base)
        ((study_id, name),) = [
            (each["study_id"], each["study_name"]) for each in studies["study_summaries"]
        ]
        assert name == "mine"
        shown = fetched(f"{base}/{study_id}")
        server.shutdown()
    assert len(shown["trials"]) == 25
    assert shown["directions"] == ["minimize"]
    assert {each["state"] for each in shown["trials"]} == {"Complete", "Fail"}
    assert [each["value"] for each in shown["trials"][1]["intermediate_values"]] == [1.5, 0.75]
    names = {each["name"] for each in shown["union_search_space"]}
    assert names == set(SPACE.names)


def fetched(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def test_what_is_written_is_read_again_each_value_with_its_type(result: Result, url: str) -> None:
    study = read_study(url, "mine")
    assert (study.directions, study.metrics) == (("minimize",), ("loss",))
    fit, misfit = fitting(SPACE, study.trials)
    assert misfit == []
    assert [repr(configuration) for configuration, _ in fit] == [
        repr(each.configuration) for each in result.trials
    ]
    assert [each.state for _, each in fit] == [each.state for each in result.trials]
    assert [each.values for _, each in fit] == [
        tuple(each.values.values()) or None for each in result.trials
    ]
    assert fit[1][1].intermediate == REPORTS[2]


def test_a_study_of_optunas_own_is_read_and_what_does_not_fit_is_listed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/theirs.db"
    study = optuna.create_study(
        storage=url,
        study_name="theirs",
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=3),
    )
    for number in range(6):
        trial = study.ask()
        step = trial.suggest_float("dropout", 0, 0.6, step=0.1)
        trial.suggest_float("lr", 1e-4, 1.0, log=True)
        if number == 4:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, step)
    space = SearchSpace((Float("dropout", 0, 0.5, step=0.1), Float("lr", 1e-4, 1e-1, log=True)))
    fit, misfit = fitting(space, read_study(url, "theirs").trials)
    assert len(fit) + len(misfit) == 6
    assert misfit
    assert all(space.wrong(configuration) == [] for configuration, _ in fit)
    assert all(faults[0].path in ("dropout", "lr") for _, faults in misfit)
    states = {trial.number: trial.state for trial in read_study(url, "theirs").trials}
    assert states[4] is TrialState.STOPPED


def test_a_name_that_is_taken_is_an_error(result: Result, url: str) -> None:
    with pytest.raises(HpoError, match="has a study 'mine' already; take another name"):
        write_study(result, url)
    assert write_study(result, url, name="again") == "again"


def test_a_study_that_is_not_there_is_an_error_that_says_which_are(url: str) -> None:
    with pytest.raises(HpoError, match="has no study 'mime'; it has: mine"):
        read_study(url, "mime")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(HpoError, match="there is no file"):
        read_study(f"sqlite:///{tmp_path}/absent.db", "mine")
    assert list(tmp_path.iterdir()) == []
