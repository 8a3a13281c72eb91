"""A study is created, run, read, changed and deleted from Python."""

from __future__ import annotations

import _thread
import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from hpo_core import (
    Budget,
    Configuration,
    Float,
    InvalidInput,
    Objective,
    Study,
    StudyState,
    load_study,
    optimize,
    report,
    studies,
)
from hpo_core.errors import (
    BackendError,
    NoResult,
    StudyChanged,
    StudyFailed,
    StudyRunning,
    UnknownStudy,
)
from hpo_core.plugin import BaseStrategy, Start

HANGS = 30.0  # seconds after which a test that waits has failed

# -- made, run, read ------------------------------------------------------------------------


def test_a_study_runs_to_its_budget_and_shows_its_best(make):
    study = make()
    assert (study.state, study.trials) == (StudyState.CREATED, ())
    assert study.run() is study
    assert study.state is StudyState.FINISHED
    assert len(study.trials) == 6
    assert study.best.value == min(trial.value for trial in study.trials)
    assert study.top(2)[0].trial_id == study.best.trial_id
    assert study.remaining == {"jobs": 0}


def test_a_study_that_has_not_run_has_no_best_and_makes_no_file(make, store):
    study = make(store=store)
    with pytest.raises(NoResult, match="no trial of 'squares' is completed"):
        _ = study.best
    assert study.pareto_front == ()
    assert len(study.to_pandas()) == 0
    assert not store.exists()


def test_optimize_has_the_result_of_the_same_study(make, squares):
    study = make().run()
    result = optimize(
        squares,
        study.config.space,
        objective="loss",
        direction="minimize",
        budget=Budget(jobs=6),
        backend="inline",
        seed=3,
    )
    assert [each.values for each in result.trials] == [each.values for each in study.trials]


def test_the_repr_says_in_a_line_where_the_study_stands(make):
    study = make()
    assert repr(study) == "<Study 'squares' in memory: created, 0 trials>"
    value = f"{study.run().best.value:.6g}"
    assert repr(study) == f"<Study 'squares' in memory: finished, 6 trials, best loss {value}>"


def test_a_result_and_its_trials_have_a_repr_of_one_line(make):
    study = make().run()
    value = f"{study.best.value:.6g}"
    assert repr(study.result) == f"<Result of 'squares': finished, 6 trials, best loss = {value}>"
    assert repr(study.best).startswith(
        f"<Trial {study.best.trial_id}: completed, loss = {value}, {{'x': "
    )


def test_several_objectives_have_a_front_and_no_one_best(make):
    study = make(
        function=lambda c: {"a": c["x"], "b": -c["x"]},
        objective=[Objective("a", "minimize"), Objective("b", "minimize")],
        direction=None,
    ).run()
    assert len(study.pareto_front) == 6
    with pytest.raises(NoResult, match="pareto_front"):
        _ = study.best


def test_a_curve_is_what_a_trial_reported(make):
    def reporting(configuration):
        report(iteration=1, loss=2.0)
        report(iteration=2, loss=1.0)

    study = make(function=reporting, budget={"jobs": 1}).run()
    assert [(point.iteration, point.metrics) for point in study.curve(1)] == [
        (1, {"loss": 2.0}),
        (2, {"loss": 1.0}),
    ]


def test_a_command_is_run_as_well_as_a_function(tmp_path, make):
    script = 'echo "{{\\"loss\\": $1}}" > /dev/fd/$HPO_REPORT_FD'
    study = make(
        function=None,
        command=["sh", "-c", script, "job", "{x}"],
        parameters=[Float("x", 0.0, 1.0)],
        backend="local",
        budget={"jobs": 1},
    ).run()
    assert study.best.value == pytest.approx(study.best.configuration["x"])
    assert study.log("1").parent.is_dir()


def test_a_failed_study_raises_and_can_be_read(make):
    def fails(configuration):
        raise ValueError("no such file")

    study = make(function=fails)
    with pytest.raises(StudyFailed, match="no such file"):
        study.run()
    assert study.state is StudyState.FAILED
    assert study.summary().failed == 5


# -- all faults at once ----------------------------------------------------------------------


def test_every_fault_of_the_arguments_is_reported_with_its_path(make):
    with pytest.raises(InvalidInput) as caught:
        make(budget={"jbs": 6}, workers=0, direction=None, time_limit=-1, tagz=["a"])
    assert {fault.path for fault in caught.value.faults} == {
        "budget.jbs", "workers", "direction", "time_limit", "tagz",
    }  # fmt: skip


def test_a_direction_beside_an_objective_is_refused(make):
    with pytest.raises(InvalidInput, match="direction: the objective has its own"):
        make(objective=Objective("loss", "minimize"), direction="minimize")


def test_a_set_is_refused_where_the_order_counts(make):
    with pytest.raises(InvalidInput, match="constraints: a set has no order"):
        make(constraints={"a", "b"})


def test_a_study_without_a_function_and_a_command_is_refused(make):
    with pytest.raises(InvalidInput, match="give a command or a function"):
        make(function=None)


def test_further_keys_of_the_file_are_taken_as_keywords(make):
    config = make(tags=["a"], min_iterations=2, silence_limit="1m", grace=0).config
    assert (config.tags, config.job.min_iterations) == (("a",), 2)
    assert (config.job.silence_limit, config.job.grace) == (60.0, 0.0)


# -- from a file ----------------------------------------------------------------------------

FILE = """
name = "filed"
seed = 7
strategy = { name = "grid", options = { points = 3 } }
[objective]
metric = "loss"
direction = "minimize"
[budget]
jobs = 6
[job]
command = ["true", "{x}"]
[parameters]
x = { type = "float", low = 0.0, high = 1.0 }
"""


def test_what_is_given_stands_above_the_file(tmp_path):
    (tmp_path / "study.toml").write_text(FILE)
    config = Study.from_file(tmp_path / "study.toml", jobs=2, options={"points": 5}).config
    assert (config.name, config.budget.jobs) == ("filed", 2)
    assert config.strategy.options == {"points": 5}


def test_faults_of_the_file_and_of_overrides_are_reported_together(tmp_path):
    (tmp_path / "study.toml").write_text(FILE.replace("points = 3", "pints = 3"))
    with pytest.raises(InvalidInput) as caught:
        Study.from_file(tmp_path / "study.toml", workers=0)
    assert {fault.path for fault in caught.value.faults} == {"workers", "strategy.options.pints"}


def test_an_unknown_keyword_above_a_file_is_refused(tmp_path):
    (tmp_path / "study.toml").write_text(FILE)
    with pytest.raises(InvalidInput, match="worker: unknown key; did you mean 'workers'"):
        Study.from_file(tmp_path / "study.toml", worker=2)


# -- stored ---------------------------------------------------------------------------------


def test_a_stored_study_is_loaded_and_listed(make, store):
    make(store=store).run()
    make(store=store, name="other").run()
    assert [study.name for study in studies(store)] == ["squares", "other"]
    study = load_study(store, "squares")
    assert study.best.value == make().run().best.value
    with pytest.raises(UnknownStudy, match="did you mean 'squares'"):
        load_study(store, "square")


def test_a_lambda_is_resumed_in_another_object_by_giving_it_again(make, store):
    make(store=store, function=lambda c: c["x"]).run()
    study = load_study(store, "squares")
    study.extend(jobs=8)
    study.resume(function=lambda c: c["x"])
    assert len(study.trials) == 8


def files_with(folder, text):
    """Return the files in a folder that have the text; one that is removed meanwhile has not."""
    found = []
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with suppress(FileNotFoundError):
                if path.is_file() and text.encode() in path.read_bytes():
                    found.append(path)
    return found


def test_a_lambda_runs_in_workers_and_nothing_pickled_is_stored(make, store):
    secret = "a word that is nowhere else"
    asked = make(store=store, function=lambda c: len(secret) + c["x"], backend="local", workers=2)
    found = []

    asked.run(on_job_finished=lambda job: found.append(files_with(store.parent, secret)))
    assert [trial.value for trial in asked.trials] == [
        27 + t.configuration["x"] for t in asked.trials
    ]
    assert found == [[]] * 6
    assert asked.config.job.function.endswith("<lambda>")


def test_a_lambda_that_is_not_given_again_is_an_error_that_says_how(make, store):
    make(store=store, function=lambda c: c["x"], backend="local").run()
    study = load_study(store, "squares")
    study.extend(jobs=8)
    with pytest.raises(
        BackendError, match=r"load_study\('.*hpo.db', 'squares'\).resume\(function="
    ):
        study.resume()
    assert len(study.resume(function=lambda c: c["x"]).trials) == 8


class Model:
    def fit(self, configuration):
        return configuration["x"]


def test_the_name_that_an_earlier_study_has_for_a_bound_method_is_kept(make, store):
    asked = make(store=store, function=Model().fit).run()
    earlier = asked.config.job.function.replace("<", "").replace(">", "")
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(
            "UPDATE study SET config = json_set(config, '$.job.function', ?)", [earlier]
        )
    make(store=store, function=Model().fit).run()
    study = load_study(store, "squares")
    study.extend(jobs=8)
    study.resume(function=Model().fit, trust=True)
    assert (len(study.trials), study.config.job.function) == (8, earlier)


def test_a_function_of_another_name_is_not_taken_for_the_stored_one(make, store, squares):
    make(store=store).run()
    study = load_study(store, "squares")
    study.extend(jobs="+2")
    with pytest.raises(StudyChanged, match=r"job\.function"):
        study.resume(function=print)
    assert len(study.resume(function=squares).trials) == 8


def test_a_study_that_was_never_run_cannot_be_resumed(make, store):
    with pytest.raises(UnknownStudy):
        make().resume()


def test_the_stored_seed_is_kept_where_none_is_given(make, store):
    seed = make(store=store, seed=None).run().config.seed
    assert make(store=store, seed=None).config.seed == seed
    assert make(store=store, seed=None).run().state is StudyState.FINISHED


def test_another_configuration_of_the_same_name_is_refused(make, store):
    make(store=store).run()
    with pytest.raises(StudyChanged, match="seed: 3 -> 4"):
        make(store=store, seed=4).run()


# -- changed --------------------------------------------------------------------------------


def test_an_enqueued_configuration_is_run_first(make):
    study = make()
    study.enqueue(x=0.25, n=1, kind="b")
    study.enqueue({"x": 0.5, "n": 2, "kind": "a"})
    study.run()
    assert [trial.configuration["x"] for trial in study.trials[:2]] == [0.25, 0.5]
    with pytest.raises(InvalidInput, match="kind: "):
        study.enqueue(x=0.25, n=1)


@pytest.mark.parametrize("in_memory", [True, False])
def test_extended_study_continues_where_it_ended(make, store, in_memory):
    study = make(store=None if in_memory else store).run()
    before = study.trials
    assert study.extend(jobs="+2").jobs == 8
    assert study.extend(jobs=9).jobs == 9
    assert study.run().trials[:6] == before
    assert len(study.trials) == 9
    assert study.replay().is_as_stored


def test_a_limit_that_does_not_grow_is_refused_with_every_other_fault(make):
    study = make().run()
    with pytest.raises(InvalidInput) as caught:
        study.extend(jobs=6, trials=9, wall_tim="2h", iterations="many")
    assert [fault.path for fault in caught.value.faults] == [
        "jobs", "trials", "wall_tim", "iterations",
    ]  # fmt: skip


def test_a_study_is_copied_renamed_and_deleted(make, store, tmp_path):
    study = make().run()
    assert study.copy(store).trials == 6
    copied = load_study(store, "squares")
    copied.rename("other")
    assert (copied.name, copied.config.name) == ("other", "other")
    copied.delete()
    assert studies(store) == []


class Numbers(BaseStrategy):
    def ask(self, trial_id, /):
        return Start(Configuration(x=trial_id / 10))


def test_a_strategy_of_ones_own_is_given_again_to_resume(make, store):
    parameters = [Float("x", 0.0, 10.0)]
    given = {"parameters": parameters, "function": lambda c: c["x"], "store": store}
    study = make(strategy=Numbers(), **given).run()
    study.extend(jobs=8)
    assert len(study.resume(strategy=Numbers()).trials) == 8
    assert study.replay(strategy=Numbers()).is_as_stored


# -- interrupted, watched, stopped ----------------------------------------------------------


def test_an_interrupted_study_is_resumed_where_it_was(make, store):
    """What a notebook does when a cell is interrupted: SIGINT to the main thread."""

    def interrupt(finished):
        if finished.job.trial_id == 3:
            _thread.interrupt_main()

    study = make(store=store)
    with pytest.raises(KeyboardInterrupt):
        study.run(on_job_finished=interrupt)
    assert study.state is StudyState.INTERRUPTED
    done = len(study.trials)
    assert done < 6
    assert len(study.resume().trials) == 6
    assert study.replay().is_as_stored


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_running_study_is_read_and_stopped_from_another_thread(make, store, in_memory):
    begun = threading.Event()

    def trains(configuration):
        for iteration in range(1, 100_000):  # until it is stopped
            report(iteration=iteration, loss=1.0)
            begun.set()

    study = make(function=trains, store=None if in_memory else store)
    thread = threading.Thread(target=study.run)
    thread.start()
    assert begun.wait(HANGS)
    watched = study if in_memory else load_study(store, "squares")
    assert watched.state is StudyState.RUNNING
    assert watched.curve(1)[0].metrics == {"loss": 1.0}
    with pytest.raises(StudyRunning):
        watched.run()
    assert watched.stop() is True
    thread.join()
    assert watched.state is StudyState.INTERRUPTED
    assert watched.stop() is False


def test_a_repr_is_one_useful_line(make):
    study = make().run()
    config = study.config
    assert repr(config) == "<StudyConfig 'squares': minimize loss, 3 parameters, random>"
    assert repr(config.space).startswith("SearchSpace(parameters=(Float(name='x', low=")
    assert repr(config.budget) == "Budget(jobs=6)"
    assert repr(study.overview()) == "<Overview of 'squares': finished, 6 trials, 6 completed>"
    assert repr(study.jobs[0]).startswith("<Job 1.1: completed, loss = ")
