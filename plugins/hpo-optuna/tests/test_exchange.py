"""Studies are written for Optuna and its dashboard, and read from it as a warm start."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest

from hpo_core import (
    Budget,
    Categorical,
    Constant,
    Constraint,
    Float,
    HpoError,
    HyperParameterOptimizer,
    Int,
    InvalidInput,
    Objective,
    ParameterSet,
    Result,
    SearchSpace,
    Study,
    StudyConfig,
    TrialState,
    load_study,
    optimize,
    report,
)
from hpo_core.plugin import FinishedJob, JobSettings, PluginChoice

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


def job(configuration: Any) -> dict[str, float]:
    for step in (1, 2, 3):
        report(step, loss=configuration["lr"] + 1 / step)
    if configuration["model"] is None:
        raise ValueError("there is no model")
    return {"loss": float(configuration["lr"]), "memory": 10 * float(configuration["lr"])}


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "hpo.db")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/f.db"


@pytest.fixture
def result(store: str, url: str) -> Result:
    """A study of 25 trials, which has been exported."""
    result = optimize(
        job,
        SPACE,
        objective=Objective("loss", "minimize"),
        constraints=[Constraint("memory", 0.5)],
        budget=Budget(trials=25),
        strategy="optuna:random",
        backend="inline",
        seed=3,
        name="mine",
        store=store,
    )
    assert len(load_study(store, "mine").export("optuna", url).trials) == 25
    return result


def config(
    space: SearchSpace = SPACE, strategy: str = "random", name: str = "next", **changes: Any
) -> StudyConfig:
    given = {
        "name": name,
        "seed": 5,
        "strategy": PluginChoice(strategy),
        "objectives": (Objective("loss", "minimize"),),
        "job": JobSettings(function="math:sqrt"),
        "space": space,
        "backend": PluginChoice("inline"),
        "budget": Budget(trials=4),
    }
    return StudyConfig(**{**given, **changes})


# -- out -------------------------------------------------------------------------------------


def test_optuna_opens_what_is_written(result: Result, url: str) -> None:
    study = optuna.load_study(study_name="mine", storage=url)
    states = {TrialState.COMPLETED: "COMPLETE", TrialState.FAILED: "FAIL"}
    assert [each.state.name for each in study.trials] == [states[t.state] for t in result.trials]
    assert {each.state.name for each in study.trials} == {"COMPLETE", "FAIL"}
    assert study.best_trial.params["lr"] == result.best.configuration["lr"]
    assert study.metric_names == ["loss"]
    assert [dict(each.params, flag=0) for each in study.trials] == [
        dict(each.configuration, flag=0) for each in result.trials
    ]
    for written, ours in zip(study.trials, result.trials, strict=True):
        assert written.intermediate_values == {
            step: ours.configuration["lr"] + 1 / step for step in (1, 2, 3)
        }
        assert written.duration is not None
        assert written.duration.total_seconds() == pytest.approx(ours.seconds, abs=1e-3)
        if ours.state is TrialState.COMPLETED:
            assert written.values == [ours.value]
            assert written.constraints == {"memory": ours.metrics["memory"] - 0.5}
    lr = study.trials[1].distributions["lr"]
    assert lr == optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)


def test_optunas_dashboard_shows_it(result: Result, url: str) -> None:
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
    lr = result.trials[1].configuration["lr"]
    assert [each["value"] for each in shown["trials"][1]["intermediate_values"]] == [
        lr + 1,
        lr + 1 / 2,
        lr + 1 / 3,
    ]
    assert {each["name"] for each in shown["union_search_space"]} == set(SPACE.names)
    assert all(each["datetime_start"] <= each["datetime_complete"] for each in shown["trials"])


def fetched(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def test_a_name_that_is_taken_is_an_error(result: Result, store: str, url: str) -> None:
    with pytest.raises(HpoError, match="has a study 'mine' already; take another file"):
        load_study(store, "mine").export("optuna", url)


def test_several_objectives_are_written_and_read(store: str, url: str) -> None:
    both = (Objective("loss", "minimize"), Objective("score", "maximize"))
    optimize(
        lambda given: {"loss": given["x"], "score": given["x"] * 2},
        [Float("x", 0, 1)],
        objective=both,
        budget=Budget(trials=3),
        strategy="optuna:nsga2",
        backend="inline",
        name="both",
        store=store,
    )
    load_study(store, "both").export("optuna", url)
    study = optuna.load_study(study_name="both", storage=url)
    assert [each.name for each in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert study.trials[0].values == [study.trials[0].params["x"], 2 * study.trials[0].params["x"]]
    taking = config(SearchSpace((Float("x", 0, 1),)), objectives=both)
    assert list(
        Study.from_config(taking, store=store).import_trials(f"optuna:{url}").trials.values()
    ) == [0, 1, 2]


# -- in --------------------------------------------------------------------------------------


def test_what_is_written_is_read_again_each_value_with_its_type(
    result: Result, store: str, url: str
) -> None:
    taking = config(constraints=(Constraint("memory", 0.5),))
    imported = Study.from_config(taking, store=store).import_trials(f"optuna:{url}")
    assert (imported.study, imported.misfits, imported.notes) == ("mine", (), ())
    assert imported.trials == {number + 1: number for number in range(25)}
    with HyperParameterOptimizer(taking, store=store) as optimizer:
        taken = optimizer.result()
    assert [repr(each.configuration) for each in taken.trials] == [
        repr(each.configuration) for each in result.trials
    ]
    for field in ("state", "values", "losses", "metrics", "iteration", "is_feasible"):
        assert [getattr(each, field) for each in taken.trials] == [
            getattr(each, field) for each in result.trials
        ], field
    assert taken.best.configuration == result.best.configuration
    assert taken.trials[4].reason == "imported: trial 4 of 'mine'"


def test_trials_that_come_in_count_in_no_budget(result: Result, store: str, url: str) -> None:
    Study.from_config(config(), store=store).import_trials(f"optuna:{url}")
    with HyperParameterOptimizer(config(), store=store, function=job) as optimizer:
        assert optimizer.usage.trials == 0
        finished = optimizer.run()
    assert (finished.usage.trials, finished.usage.jobs, len(finished.trials)) == (4, 4, 29)
    assert [each.trial_id for each in finished.trials] == list(range(1, 30))


def test_what_has_come_in_is_there_once(result: Result, store: str, url: str) -> None:
    Study.from_config(config(), store=store).import_trials(f"optuna:{url}")
    with pytest.raises(InvalidInput, match="trial 7: it is already there"):
        Study.from_config(config(), store=store).import_trials(f"optuna:{url}")


LINE = SearchSpace((Float("x", -5.0, 5.0),))


@pytest.mark.parametrize("strategy", ["optuna:tpe", "optuna:random", "random", "optuna:qmc"])
def test_strategy_is_told_of_imported_trials_also_after_resuming(
    tmp_path: Path, url: str, strategy: str
) -> None:
    """A warm start and two sessions come to the same as one that was never interrupted."""
    theirs(url, lambda trial: (trial.suggest_float("x", -5, 5) - 2) ** 2, trials=30)
    study = config(LINE, strategy, budget=Budget(trials=12))

    def session(store: Path, jobs: int) -> list[float]:
        """Run a number of jobs, and return the configurations tried, without imported ones."""
        ended = []

        def count(job: FinishedJob) -> None:
            ended.append(job)
            if len(ended) == jobs:
                optimizer.request_stop()

        with HyperParameterOptimizer(study, store=store, function=off_by_two) as optimizer:
            trials = optimizer.run(count).trials
        return [each.configuration["x"] for each in trials if each.trial_id > 30]

    whole, interrupted = tmp_path / "whole.db", tmp_path / "interrupted.db"
    for store in (whole, interrupted):
        Study.from_config(study, store=store).import_trials(f"optuna:{url}")
    session(interrupted, 5)
    found = session(interrupted, 99)
    assert found == session(whole, 99)
    assert len(found) == 12
    if strategy == "optuna:tpe":
        assert sum(abs(x - 2) < 1 for x in found) > 6, "it has learnt from what came in"


def off_by_two(configuration: Any) -> float:
    return float((configuration["x"] - 2) ** 2)


def theirs(url: str, objective: Any, trials: int, **given: Any) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=url,
        study_name="theirs",
        sampler=optuna.samplers.RandomSampler(seed=3),
        **given,
    )
    study.optimize(objective, n_trials=trials, catch=(ValueError,))
    return study


def test_what_does_not_fit_is_listed(store: str, url: str) -> None:
    def objective(trial: optuna.Trial) -> float:
        step = trial.suggest_float("dropout", 0, 0.6, step=0.1)
        trial.suggest_float("lr", 1e-4, 1.0, log=True)
        if trial.number == 4:
            raise optuna.TrialPruned
        return step

    theirs(url, objective, 8)
    optuna.load_study(study_name="theirs", storage=url).ask()
    space = SearchSpace((Float("dropout", 0, 0.5, step=0.1), Float("lr", 1e-4, 1e-1, log=True)))
    imported = Study.from_config(config(space), store=store).import_trials(f"optuna:{url}")
    assert len(imported.trials) + len(imported.misfits) == 9
    reasons = {one.number: "; ".join(one.reasons) for one in imported.misfits}
    assert reasons.pop(8).startswith("it has not ended; ")
    assert reasons
    assert all("lr: " in reason or "dropout: " in reason for reason in reasons.values())
    with HyperParameterOptimizer(config(space), store=store) as optimizer:
        trials = optimizer.result().trials
    assert [each.trial_id for each in trials] == list(imported.trials)
    assert all(space.wrong(each.configuration) == [] for each in trials)


def test_pruned_trials_come_in_as_stopped_with_what_they_had_reported(store: str, url: str) -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -5, 5)
        for step in (1, 2):
            trial.report(x * x / step, step)
        raise optuna.TrialPruned

    theirs(url, objective, 3)
    Study.from_config(config(LINE, "optuna:tpe"), store=store).import_trials(f"optuna:{url}")
    with HyperParameterOptimizer(config(LINE, "optuna:tpe"), store=store) as optimizer:
        first, *_ = optimizer.result().trials
    assert first.state is TrialState.STOPPED
    assert first.iteration == 2
    assert first.losses == (first.configuration["x"] ** 2 / 2,)


def test_other_directions_are_refused(store: str, url: str) -> None:
    theirs(url, lambda trial: trial.suggest_float("x", -5, 5), 2, direction="maximize")
    with pytest.raises(InvalidInput, match="objective 1: maximize in 'theirs', minimize in 'next'"):
        Study.from_config(config(LINE), store=store).import_trials(f"optuna:{url}")
    assert not Path(store).exists()


def test_a_metric_of_another_name_is_noted(store: str, url: str) -> None:
    study = optuna.create_study(storage=url, study_name="theirs")
    study.set_metric_names(["error"])
    study.optimize(lambda trial: trial.suggest_float("x", -5, 5), n_trials=2)
    imported = Study.from_config(config(LINE), store=store).import_trials(f"optuna:{url}")
    assert imported.notes == ("the metric that 'theirs' calls error is taken for loss",)


def test_of_several_studies_one_has_to_be_named(store: str, url: str) -> None:
    for name in ("one", "two"):
        study = optuna.create_study(storage=url, study_name=name)
        study.optimize(lambda trial: trial.suggest_float("x", -5, 5), n_trials=2)
    with pytest.raises(HpoError, match="has several studies; say which with --of: one, two"):
        Study.from_config(config(LINE), store=store).import_trials(f"optuna:{url}")
    with pytest.raises(HpoError, match="has no study 'too'; it has: one, two"):
        Study.from_config(config(LINE), store=store).import_trials(f"optuna:{url}", "too")
    assert (
        Study.from_config(config(LINE), store=store).import_trials(f"optuna:{url}", "two").study
        == "two"
    )


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, store: str) -> None:
    with pytest.raises(HpoError, match="there is no file"):
        Study.from_config(config(), store=store).import_trials(
            f"optuna:sqlite:///{tmp_path}/absent.db"
        )
    assert list(tmp_path.iterdir()) == []


# -- on the command line ---------------------------------------------------------------------

STUDY = """
name = "line"
seed = 7
strategy = "optuna:tpe"
objective = { metric = "loss", direction = "minimize" }
budget = { jobs = 3 }
job = { command = ["sh", "-c", "echo '{{\\"loss\\": 1}}' >&$HPO_REPORT_FD", "{x}"] }
parameters = { x = { type = "float", low = -5.0, high = 5.0 } }
"""


def hpo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from hpo_core.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True
    )


def test_the_command_line_imports_runs_and_exports(tmp_path: Path, url: str) -> None:
    theirs(url, lambda trial: trial.suggest_float("x", -6, 5) ** 2, trials=12)
    (tmp_path / "study.toml").write_text(STUDY)
    first = hpo(tmp_path, "import", f"optuna:{url}", "study.toml")
    assert first.returncode == 0, first.stderr
    fit = len([t for t in optuna.load_study(study_name="theirs", storage=url).trials
               if t.params["x"] >= -5])  # fmt: skip
    assert fit < 12
    assert first.stdout.splitlines()[0] == f"{fit} of 12 trials of theirs imported"
    assert "x: x lies between -5.0 and 5.0" in first.stdout
    assert hpo(tmp_path, "run", "study.toml", "--quiet").returncode == 0
    shown = hpo(tmp_path, "show", "line").stdout
    assert f"3 completed, 0 stopped, 0 failed, 3 in all; {fit} imported" in shown
    assert hpo(tmp_path, "jobs", "line").stdout.splitlines()[1].split()[0] == "1.0"
    out = hpo(tmp_path, "export", "line", "--format", "optuna", "-o", f"sqlite:///{tmp_path}/o.db")
    assert (out.returncode, out.stdout) == (
        0,
        f"{fit + 3} trials written to sqlite:///{tmp_path}/o.db\n",
    )
    study = optuna.load_study(study_name="line", storage=f"sqlite:///{tmp_path}/o.db")
    assert len(study.trials) == fit + 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "optuna", "line"], "expected PLUGIN:PLACE, such as optuna:sqlite:///f.db"),
        (["import", "random:x", "line"], "the plugin 'random' (hpo-random-search) provides no exc"),
        (["import", "optuna:sqlite:///no.db", "line"], "there is no file no.db"),
        (["import", "optuna:sqlite:///no.db", "lime"], "has no study 'lime'; did you mean 'line'"),
        (["export", "line", "--format", "optuna"], "-o: say where optuna should find the study"),
        (
            ["export", "line", "--format", "parket"],
            "'parket' is not one of csv, json, parquet",
        ),
        (["export", "line", "--format", "optuna", "-o", "f.db"], "give one such as sqlite:///FILE"),
    ],
)
def test_faults_give_a_message_and_exit_status_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    assert hpo(tmp_path, "run", "study.toml", "--quiet").returncode == 0
    ended = hpo(tmp_path, *arguments)
    assert ended.returncode == 2, ended
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
