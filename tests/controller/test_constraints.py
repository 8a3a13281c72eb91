"""Constraints: a trial that violates one, or never reports it, completes but is never the best."""

import json

import pytest

import hpo_core.plugin
from hpo_core import (
    Budget,
    Configuration,
    Constraint,
    Int,
    JobState,
    Objective,
    TrialState,
    optimize,
)
from hpo_core.errors import NoResult
from hpo_core.plugin import Unsupported

LOSS = Objective("loss", "minimize")


def best_where_memory_is_short(configuration):
    x = configuration["x"]
    return {"loss": -float(x), "memory": float(x) - 4.0}


def searched(function=best_where_memory_is_short, **changes):
    given = {"constraints": ["memory"], "objective": LOSS, "backend": "inline", "strategy": "grid"}
    return optimize(function, [Int("x", 1, 6)], **{**given, **changes})


def test_the_best_trial_keeps_the_constraints():
    result = searched()
    assert result.best.configuration == {"x": 4}
    assert [trial.configuration["x"] for trial in result.top(9)] == [4, 3, 2, 1]
    assert [trial.is_feasible for trial in result.trials] == [True] * 4 + [False] * 2
    assert {trial.state for trial in result.trials} == {TrialState.COMPLETED}


def test_a_constraint_may_have_another_bound_than_zero():
    assert searched(constraints=[Constraint("memory", 1.0)]).best.configuration == {"x": 5}


def test_the_pareto_front_holds_feasible_trials_alone():
    result = searched(objective=(LOSS, Objective("memory", "minimize")))
    assert {trial.configuration["x"] for trial in result.pareto_front} == {1, 2, 3, 4}


def test_a_trial_that_never_reports_the_constraint_is_infeasible_and_says_so():
    def forgets(configuration):
        found = best_where_memory_is_short(configuration)
        return found if configuration["x"] < 3 else {"loss": found["loss"]}

    result = searched(forgets)
    assert result.best.configuration == {"x": 2}
    assert result.trials[3].reason == "infeasible: it never reported the constraint 'memory'"


def test_nan_keeps_no_constraint():
    def broken(configuration):
        return {"loss": -float(configuration["x"]), "memory": float("nan")}

    with pytest.raises(NoResult, match="no completed trial of 'study' satisfies the constraints"):
        searched(broken).best


def test_the_last_value_that_a_trial_reports_counts():
    def grows(configuration):
        hpo_core.report(1, loss=1.0, memory=-1.0)
        hpo_core.report(2, loss=-float(configuration["x"]), memory=float(configuration["x"]) - 2.0)

    assert searched(grows).best.configuration == {"x": 2}


def test_callbacks_get_the_best_feasible_trial():
    best = []
    searched(on_job_finished=lambda job: best.append(job.is_best))
    assert best == [True, True, True, True, False, False]


def test_a_resumed_session_knows_the_feasible_incumbent(lab):
    options = {
        "space": hpo_core.SearchSpace((Int("x", 1, 6),)),
        "constraints": (Constraint("memory"),),
        "enqueue": ({"x": 6}, {"x": 2}, {"x": 1}, {"x": 4}),
    }
    best = {}

    def note(job):
        if job.state is JobState.COMPLETED:
            best[job.job.configuration["x"]] = job.is_best
        if len(best) == 3:
            first.request_stop()

    first = lab.study(best_where_memory_is_short, budget=Budget(jobs=4), **options)
    first.run(note)
    lab.study(best_where_memory_is_short, budget=Budget(jobs=4), **options).run(note)
    assert best == {6: False, 2: True, 1: False, 4: True}


def test_an_earlier_job_of_a_resumed_trial_may_have_reported_the_constraint(lab):
    class Twice(hpo_core.plugin.BaseStrategy):
        asked = 0

        def ask(self, trial_id, /):
            self.asked += 1
            if self.asked == 1:
                return hpo_core.plugin.Start(Configuration(x=1), iterations=1)
            return hpo_core.plugin.Resume(1, 2) if self.asked == 2 else hpo_core.plugin.Exhausted()

        def tell(self, report, /):
            at_first = report.is_final and report.iteration == 1
            return hpo_core.plugin.Decision.PAUSE if at_first else hpo_core.plugin.Decision.CONTINUE

    def job(configuration, info: hpo_core.JobInfo):
        metrics = {"memory": -1.0} if info.iterations == 1 else {}
        hpo_core.report(info.iterations, loss=1.0, **metrics)

    study = lab.study(job, strategy=Twice(), constraints=(Constraint("memory"),), max_iterations=2)
    assert study.run().best.iteration == 2


def test_a_strategy_that_heeds_no_constraints_is_refused_before_the_first_job():
    with pytest.raises(Unsupported, match="the study needs constraints, which the strategy"):
        searched(strategy="hillclimb")


def test_tables_say_which_trials_are_feasible():
    frame = searched().to_pandas()
    assert list(frame["feasible"]) == [True] * 4 + [False] * 2
    assert frame["feasible"].dtype == bool
    assert "feasible" not in searched(constraints=[]).to_pandas()


FILE = {
    "name": "bounded",
    "seed": 1,
    "strategy": "grid",
    "objective": {"metric": "loss", "direction": "minimize"},
    "job": {"command": ["true", "{x}"]},
    "parameters": {"x": {"type": "int", "low": 1, "high": 6}},
}


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (["memory"], [("memory", 0.0)]),
        (["memory", {"metric": "time", "bound": 3}], [("memory", 0.0), ("time", 3.0)]),
    ],
)
def test_a_file_names_constraints_with_or_without_a_bound(tmp_path, given, stored):
    from hpo_core.config_file import parse

    config, faults = parse({**FILE, "constraints": given}, tmp_path)
    assert faults == []
    assert [(each.metric, each.bound) for each in config.constraints] == stored
    from hpo_core.config import from_json, to_json

    assert json.loads(to_json(config))["constraints"][0] == {"metric": "memory", "bound": 0.0}
    assert from_json(to_json(config)) == config


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("memory", "constraints: expected a list, got 'memory'"),
        ([{"metric": "memory", "bond": 1}], "constraints[0].bond: unknown key"),
        ([{"metric": "memory", "bound": "x"}], "constraints[0].bound: expected a number, got 'x'"),
        ([""], "constraints[0].metric: name the metric that jobs report"),
        (["memory", "memory"], "constraints: two constraints are on the same metric"),
    ],
)
def test_every_fault_of_a_constraint_is_a_line_with_its_place(tmp_path, given, fault):
    from hpo_core.config_file import parse

    config, faults = parse({**FILE, "constraints": given}, tmp_path)
    assert config is None
    assert [str(one)[: len(fault)] for one in faults] == [fault]
