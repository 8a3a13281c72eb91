"""The stopping type compared with Optuna's successive halving pruner, report by report."""

from __future__ import annotations

import logging
import math
import random
from typing import Any

import optuna
import pytest
from hpo_asha.options import AshaOptions, HyperbandOptions, MedianOptions
from optuna.pruners import SuccessiveHalvingPruner

from hpo_core.plugin import Constraint, Decision, Exhausted, Objective, Status, StrategyError


def curves(seed: int, trials: int, steps: list[int]) -> list[tuple[int, int, float]]:
    """Return reports of many trials, interleaved: trial, iteration, value; a few are NaN."""
    drawn = random.Random(seed)
    left = {trial: list(steps) for trial in range(1, trials + 1)}
    under_way, waiting = [], list(left)
    stream = []
    while left:
        while waiting and len(under_way) < 4:
            under_way.append(waiting.pop(0))
        trial = drawn.choice(under_way)
        value = math.nan if drawn.random() < 0.03 else round(drawn.random(), 2)
        stream.append((trial, left[trial].pop(0), value))
        if not left[trial]:
            del left[trial]
            under_way.remove(trial)
    return stream


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("steps", [range(1, 81), range(5, 81, 5), (2, 30, 31, 80)], ids=str)
@pytest.mark.parametrize(("seed", "eta"), [(1, 3), (2, 3), (3, 4), (4, 2)])
def test_it_stops_what_optunas_pruner_stops(
    study: Any, seed: int, eta: int, steps: Any, direction: Any
) -> None:
    objective = Objective("loss", direction)
    run = study.of(
        AshaOptions(type="stopping", eta=eta), max_iterations=81, objectives=(objective,)
    )
    pruner = SuccessiveHalvingPruner(min_resource=1, reduction_factor=eta)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    theirs = optuna.create_study(pruner=pruner, direction=direction)
    trials: dict[int, optuna.Trial] = {}
    stopped: set[int] = set()
    for trial in range(1, 61):
        run.start()
        trials[trial] = theirs.ask()
    for trial, iteration, value in curves(seed, 60, list(steps)):
        if trial in stopped:
            continue
        trials[trial].report(value, iteration)
        is_pruned = trials[trial].should_prune()
        losses = None if math.isnan(value) else (objective.loss(value),)
        decision = run.report(trial, iteration, value, losses=losses)
        assert (decision is Decision.STOP) is is_pruned, (trial, iteration, value)
        if is_pruned:
            stopped.add(trial)
            theirs.tell(trials[trial], state=optuna.trial.TrialState.PRUNED)
    assert 20 < len(stopped) < 60


def test_by_hand_with_three_rungs(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    trials = [run.start() for _ in range(6)]
    at_1 = [run.report(trial, 1, loss) for trial, loss in zip(trials, (5, 4, 6, 3, 1, 3.5))]
    go, stop = Decision.CONTINUE, Decision.STOP
    # Among fewer than 3 the best so far runs on; of 6 the best two, which are 1 and 3.
    assert at_1 == [go, go, stop, go, go, stop]
    assert run.report(trials[0], 2, 9) is go  # between rungs nothing is decided
    assert [run.report(trials[place], 3, loss) for place, loss in ((0, 5), (1, 6))] == [go, stop]


def test_a_decision_to_stop_stands(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    good, bad = run.start(), run.start()
    run.report(good, 1, 0.1)
    assert run.report(bad, 1, 0.2) is Decision.STOP
    assert run.report(bad, 2, 0.0) is Decision.STOP


def test_a_job_at_its_end_is_not_stopped_but_counts_at_the_rungs_that_it_has_passed(
    study: Any,
) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    trials = [run.start() for _ in range(3)]
    assert [run.report(trial, 9, trial / 10) for trial in trials[:2]] == [Decision.CONTINUE] * 2
    assert run.report(trials[2], 1, 0.3) is Decision.STOP


def test_a_report_without_the_objectives_metric_decides_nothing(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    good, other = run.start(), run.start()
    run.report(good, 1, 0.1)
    assert run.report(other, 1, 0.9, metrics={"training/loss": 0.5}) is Decision.CONTINUE
    assert run.report(other, 1, 0.9) is Decision.STOP


def test_a_late_report_does_not_decide_at_a_rung_that_the_trial_has_passed(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    trials = [run.start(), run.start()]
    for trial in trials:
        run.report(trial, 3, 0.5 - trial / 10)
    assert run.report(trials[1], 1, 0.9) is Decision.CONTINUE


def test_a_trial_that_breaks_a_constraint_is_stopped_for_one_that_keeps_it(study: Any) -> None:
    constraints = (Constraint("memory", 16.0),)
    run = study.of(AshaOptions(type="stopping"), max_iterations=9, constraints=constraints)
    keeps, breaks = run.start(), run.start()
    run.report(keeps, 1, 0.9, metrics={"loss": 0.9, "memory": 8.0})
    decision = run.report(breaks, 1, 0.1, metrics={"loss": 0.1, "memory": 17.0})
    assert decision is Decision.STOP


def test_brackets_stop_at_their_own_rungs(study: Any) -> None:
    run = study.of(HyperbandOptions(type="stopping"), max_iterations=9)
    trials = [run.start() for _ in range(17)]
    for bracket, first in ((0, 0), (1, 9), (2, 14)):
        good, bad = trials[first], trials[first + 1]
        stopped_at = []
        for iteration in (1, 3):
            run.report(good, iteration, 0.1)
            if run.report(bad, iteration, 0.2) is Decision.STOP:
                stopped_at.append(iteration)
        assert stopped_at == {0: [1, 3], 1: [3], 2: []}[bracket]


@pytest.mark.parametrize("options", [AshaOptions(type="stopping"), MedianOptions()])
def test_a_job_that_never_says_at_which_iteration_it_is_is_an_error(
    study: Any, options: Any
) -> None:
    run = study.of(options, max_iterations=9)
    trial = run.start()
    run.report(trial, None, 0.5)
    with pytest.raises(StrategyError, match=r"trial 1 completed without .* report the iteration"):
        run.end(trial, 0.5)


def test_a_trial_from_elsewhere_need_not_say_it(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    trial = run.adopt({"x": 0.5})
    assert run.end(trial, 0.5) is Decision.CONTINUE


def test_study_continues_once_the_fault_is_fixed(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    with pytest.raises(StrategyError):
        run.end(run.start(), 0.5)
    again = study.of(AshaOptions(type="stopping"), max_iterations=9)
    again.strategy.restore(run.history, None)
    again.jobs = dict(run.jobs)
    trial = again.start()
    again.report(trial, 9, 0.5)
    assert again.end(trial, 0.5, iteration=9) is Decision.CONTINUE


def test_where_jobs_have_no_known_length_it_is_a_warning(study: Any, caplog: Any) -> None:
    run = study.of(MedianOptions(), max_iterations=None)
    with caplog.at_level(logging.WARNING, "hpo_asha"):
        for _ in range(2):
            run.end(run.start(), 0.5)
    (record,) = caplog.records
    assert "trial 1 completed without having said at which iteration" in record.getMessage()


def test_a_failed_job_need_not_say_anything(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    assert run.end(run.start(), None, Status.FAILED) is Decision.CONTINUE


def test_search_ends_without_a_budget_for_new_trials(study: Any) -> None:
    run = study.of(AshaOptions(type="stopping"), max_iterations=9)
    trial = run.start()
    run.strategy.no_more_trials()
    run.report(trial, 9, 0.5)
    run.end(trial, 0.5, iteration=9)
    assert isinstance(run.ask(), Exhausted)
