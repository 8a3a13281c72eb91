"""The median stopping rule: computed by hand as in the paper, and compared with Optuna's pruner."""

from __future__ import annotations

import math
import random
import statistics
from typing import Any

import optuna
import pytest
from hpo_asha.options import MedianOptions
from optuna.pruners import MedianPruner

from hpo_core.plugin import Decision, Objective, Status

GO, STOP = Decision.CONTINUE, Decision.STOP


def complete(run: Any, losses: dict[int, float]) -> int:
    trial = run.start()
    for iteration, loss in losses.items():
        run.report(trial, iteration, loss)
    run.end(trial, list(losses.values())[-1], iteration=max(losses))
    return trial


def test_by_hand_the_running_averages_of_completed_trials_count(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=3), max_iterations=9)
    complete(run, {1: 9.0, 2: 5.0, 3: 1.0})  # running averages 9, 7, 5
    complete(run, {1: 8.0, 2: 4.0, 3: 3.0})  # 8, 6, 5
    complete(run, {1: 7.0, 2: 1.0, 3: 1.0})  # 7, 4, 3; medians 8, 6, 5
    trial = run.start()
    assert run.report(trial, 1, 8.0) is GO  # equal is not strictly worse
    assert run.report(trial, 2, 6.5) is STOP
    other = run.start()
    assert run.report(other, 1, 6.0) is GO
    assert run.report(other, 2, 99.0) is GO  # the best value so far counts: 6.0
    assert run.report(other, 3, 99.0) is STOP


def test_of_an_even_number_the_mean_of_the_two_in_the_middle_counts(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=2), max_iterations=9)
    complete(run, {1: 2.0})
    complete(run, {1: 4.0})
    assert run.report(run.start(), 1, 3.0) is GO
    assert run.report(run.start(), 1, 3.01) is STOP


def test_nothing_is_stopped_before_enough_trials_are_completed(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=2), max_iterations=9)
    complete(run, {1: 1.0})
    assert run.report(run.start(), 1, 9.0) is GO
    for status in (Status.STOPPED, Status.FAILED):
        trial = run.start()
        run.report(trial, 1, 1.0)
        run.end(trial, 1.0, status, 1)
    assert run.report(run.start(), 1, 9.0) is GO


def test_nothing_is_stopped_within_the_grace_period(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=1, grace_period=3), max_iterations=9)
    complete(run, {1: 1.0, 2: 1.0, 3: 1.0})
    trial = run.start()
    assert [run.report(trial, iteration, 9.0) for iteration in (1, 2, 3)] == [GO, GO, STOP]


def test_a_job_at_its_end_is_not_stopped(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=1), max_iterations=9)
    complete(run, {9: 1.0})
    assert run.report(run.start(), 9, 9.0) is GO


def test_values_that_are_not_finite_are_left_out_of_averages(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=1), max_iterations=9)
    trial = run.start()
    for iteration, loss in ((1, math.nan), (2, 2.0), (3, math.inf), (4, 4.0)):
        run.report(trial, iteration, loss)
    run.end(trial, 4.0, iteration=4)
    assert run.report(run.start(), 1, 99.0) is GO  # nobody has a value by iteration 1
    assert run.report(run.start(), 3, 2.5) is STOP
    assert run.report(run.start(), 4, 3.0) is GO


def test_a_trial_with_nothing_but_such_values_is_stopped(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=1), max_iterations=9)
    complete(run, {1: 1.0})
    assert run.report(run.start(), 1, math.nan) is STOP


def test_a_late_report_counts_and_decides_nothing(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=1), max_iterations=9)
    complete(run, {1: 4.0, 2: 4.0, 3: 4.0})
    trial = run.start()
    assert run.report(trial, 2, 3.0) is GO
    assert run.report(trial, 1, 99.0) is GO
    assert run.report(trial, 3, 99.0) is GO
    run.end(trial, 99.0, iteration=3)  # its averages: 99, 51, 67; the medians 51.5, 27.5, 35.5
    assert run.report(run.start(), 2, 27.0) is GO
    assert run.report(run.start(), 2, 28.0) is STOP


def test_where_the_best_value_counts_the_metric_itself_is_averaged(study: Any) -> None:
    objective = Objective("loss", "maximize", value="best")
    run = study.of(MedianOptions(min_trials=1), max_iterations=9, objectives=(objective,))
    trial = run.start()
    for iteration, value in ((1, 0.9), (2, 0.1)):
        run.report(trial, iteration, value, losses=(-0.9,))
    run.end(trial, -0.9, iteration=2)  # averages 0.9 and 0.5, not 0.9 and 0.9
    assert run.report(run.start(), 2, 0.6, losses=(-0.6,)) is GO
    assert run.report(run.start(), 2, 0.4, losses=(-0.4,)) is STOP


@pytest.mark.parametrize("seed", range(5))
def test_it_decides_as_the_paper_words_it(study: Any, seed: int) -> None:
    """Golovin et al. 2017, section 3.2.2, written down: all curves are gone through each time."""
    drawn = random.Random(seed)
    run = study.of(MedianOptions(min_trials=2), max_iterations=40)
    completed: list[dict[int, float]] = []
    decisions = []
    for _ in range(60):
        trial, curve, step = run.start(), {}, drawn.choice((1, 1, 3, 5))
        for iteration in range(step, 40, step):
            curve[iteration] = round(drawn.random(), 3)
            averages = [
                statistics.fmean(values)
                for other in completed
                if (values := [loss for at, loss in other.items() if at <= iteration])
            ]
            is_worse = (
                len(averages) > 1 and min(curve.values()) > statistics.median(averages) + 1e-9
            )
            decision = run.report(trial, iteration, curve[iteration])
            assert (decision is STOP) is is_worse, (trial, iteration)
            decisions.append(decision)
            if is_worse:
                run.end(trial, curve[iteration], Status.STOPPED, iteration)
                break
        else:
            run.end(trial, curve[iteration], iteration=iteration)
            completed.append(curve)
    assert STOP in decisions


@pytest.mark.parametrize("seed", range(3))
def test_where_curves_are_flat_it_stops_what_optunas_pruner_stops(study: Any, seed: int) -> None:
    """Optuna's takes others' values at the step itself; the averages if nothing changes."""
    drawn = random.Random(seed)
    run = study.of(MedianOptions(min_trials=4), max_iterations=9)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    theirs = optuna.create_study(pruner=MedianPruner(n_startup_trials=4, n_warmup_steps=0))
    stopped = 0
    for _ in range(80):
        trial, other, loss = run.start(), theirs.ask(), round(drawn.random(), 2)
        for iteration in range(1, 9):
            other.report(loss, iteration)
            is_pruned = bool(other.should_prune())
            assert (run.report(trial, iteration, loss) is STOP) is is_pruned
            if is_pruned:
                break
        state = optuna.trial.TrialState.PRUNED if is_pruned else optuna.trial.TrialState.COMPLETE
        theirs.tell(other, None if is_pruned else loss, state)
        run.end(trial, loss, Status.STOPPED if is_pruned else Status.COMPLETED, iteration)
        stopped += is_pruned
    assert 10 < stopped < 76


def test_where_curves_fall_it_spares_what_optunas_pruner_stops(study: Any) -> None:
    run = study.of(MedianOptions(min_trials=1), max_iterations=9)
    theirs = optuna.create_study(pruner=MedianPruner(n_startup_trials=1))
    complete(run, {1: 9.0, 2: 1.0})  # at 2 the average is 5.0, the value 1.0
    other = theirs.ask()
    other.report(9.0, 1)
    other.report(1.0, 2)
    theirs.tell(other, 1.0)
    trial, other = run.start(), theirs.ask()
    other.report(3.0, 2)
    assert other.should_prune()
    assert run.report(trial, 2, 3.0) is GO
