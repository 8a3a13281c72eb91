"""ASHA by promotion: promotions computed by hand, and special cases."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from hpo_asha.options import AshaOptions, HyperbandOptions

from hpo_core.plugin import (
    Configuration,
    Constraint,
    Decision,
    Exhausted,
    Objective,
    Report,
    Resume,
    Start,
    Status,
    Wait,
)

NINE = {"max_iterations": 9}


def test_one_worker_promotes_as_soon_as_three_have_reached_a_rung(study: Any) -> None:
    # The setting of Li et al. 2020, figure 1: r = 1, R = 9, eta = 3, nine configurations. Here 1, 6
    # and 8 are promoted to rung 1, and 8 to rung 2; each step of algorithm 2 is worked out by hand.
    losses = {1: 0.3, 2: 0.6, 3: 0.5, 4: 0.8, 5: 0.7, 6: 0.2, 7: 0.9, 8: 0.1, 9: 0.4}
    run = study.of(AshaOptions(), **NINE)
    done = []
    while not (len(run.jobs) == 9 and len(done) == 13):
        answer = run.ask()
        trial = len(run.jobs) if isinstance(answer, Start) else answer.trial_id
        done.append((trial, answer.iterations))
        run.end(trial, losses[trial] / answer.iterations, iteration=answer.iterations)
    assert done == [
        (1, 1), (2, 1), (3, 1),  # three results: the best one is promoted
        (1, 3),
        (4, 1), (5, 1), (6, 1),  # six: the best two are 6 and 1, which was promoted before
        (6, 3),
        (7, 1), (8, 1),  # eight: the best two are 8 and 6
        (8, 3),
        (8, 9),  # three in rung 1: the best one is promoted
        (9, 1),
    ]  # fmt: skip


def test_a_promotion_is_a_resume_to_the_next_rung_and_says_which(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    run.run_to_rung([0.5, 0.4, 0.6])
    assert run.ask() == Resume(2, 3, notes={"rung": 1})


def test_a_trial_stays_open_at_a_rung_and_is_completed_at_the_end(study: Any) -> None:
    run = study.of(AshaOptions(), max_iterations=3)
    assert [run.end(run.start(), loss) for loss in (0.1, 0.2, 0.3)] == [Decision.PAUSE] * 3
    assert run.ask() == Resume(1, 3, notes={"rung": 1})
    assert run.end(1, 0.05) is Decision.CONTINUE


def test_a_trial_is_promoted_once_from_each_rung(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    run.run_to_rung([0.5, 0.4, 0.6])
    assert isinstance(run.ask(), Resume)
    assert isinstance(run.ask(), Start)


def test_the_highest_rung_is_promoted_from_first(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    run.run_to_rung(place / 10 for place in range(3))
    for loss in (0.3, 0.4):
        run.end(run.ask().trial_id, 0.5)
        run.run_to_rung([loss, loss, loss])
    run.end(run.ask().trial_id, 0.4)
    run.run_to_rung([])
    answer = run.ask()
    assert (answer.iterations, answer.notes) == (9, {"rung": 2})


def test_of_equal_results_the_older_trial_is_promoted(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    run.run_to_rung([0.5, 0.5, 0.5])
    assert run.ask().trial_id == 1


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMED_OUT, Status.STOPPED])
def test_a_job_that_does_not_complete_leaves_its_trial_out_of_the_rung(
    study: Any, status: Status
) -> None:
    run = study.of(AshaOptions(), **NINE)
    assert run.end(run.start(), None, status) is Decision.CONTINUE
    run.run_to_rung([0.5, 0.4])
    assert isinstance(run.ask(), Start)  # two results are too few: a failed job has none
    run.end(len(run.jobs), 0.6)
    assert run.ask().trial_id == 3


def test_a_failed_promotion_is_not_tried_again(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    run.run_to_rung([0.5, 0.4, 0.6])
    run.end(run.ask().trial_id, None, Status.FAILED)
    run.run_to_rung([0.7, 0.8])
    assert isinstance(run.ask(), Start)


def test_non_finite_value_is_not_a_result(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    for _ in range(3):
        trial = run.adopt({"x": 0.5})
        run.report(trial, 1, math.nan)
        run.end(trial, math.nan, Status.PAUSED, 1)
    run.run_to_rung([0.9, 0.8])
    assert isinstance(run.ask(), Start)
    run.end(len(run.jobs), 0.7)
    assert run.ask().trial_id == 6


def test_an_enqueued_trial_is_paused_at_the_first_rung_and_promoted_like_any_other(
    study: Any,
) -> None:
    run = study.of(AshaOptions(), **NINE)
    trial = run.adopt({"x": 0.25})  # its job is told to train 9 iterations
    assert run.report(trial, 1, 0.1) is Decision.PAUSE
    run.end(trial, 0.1, Status.PAUSED, 1)
    run.run_to_rung([0.5, 0.6])
    assert run.ask() == Resume(trial, 3, notes={"rung": 1})
    assert run.report(trial, 3, 0.1) is Decision.CONTINUE  # this one ends by itself
    assert run.end(trial, 0.1, iteration=3) is Decision.PAUSE


def test_an_enqueued_trial_that_reports_rarely_enters_the_last_rung_that_it_has_passed(
    study: Any,
) -> None:
    run = study.of(AshaOptions(), **NINE)
    trial = run.adopt({"x": 0.25})
    assert run.report(trial, 5, 0.1) is Decision.PAUSE  # it reports each fifth iteration
    run.end(trial, 0.1, Status.PAUSED, 5)
    run.run_to_rung([0.6, 0.7])
    run.run_to_rung([0.5])  # at the lowest rung there are two results, and now three
    for promoted, losses in ((4, []), (7, [0.8, 0.85, 0.4])):  # two more get to rung 1
        run.run_to_rung(losses)
        assert run.ask().trial_id == promoted
        run.end(promoted, 0.7)
    assert run.ask() == Resume(trial, 9, notes={"rung": 2})


def test_a_trial_from_elsewhere_that_has_trained_to_the_end_is_in_no_rung(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    for _ in range(5):  # such as those of `hpo import`: decisions are not carried out
        trial = run.adopt({"x": 0.25})
        for iteration in range(1, 10):
            run.report(trial, iteration, 0.1)
        assert run.end(trial, 0.1, iteration=9) is Decision.CONTINUE
    run.run_to_rung([0.5, 0.6])
    assert isinstance(run.ask(), Start)
    run.end(len(run.jobs), 0.7)
    assert run.ask() == Resume(6, 3, notes={"rung": 1})


def test_a_job_need_not_count_iterations(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    run.run_to_rung([0.5, 0.4, 0.6])  # iteration is None in each of their reports
    assert run.ask() == Resume(2, 3, notes={"rung": 1})


def test_an_enqueued_job_that_does_not_count_iterations_completes(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    trial = run.adopt({"x": 0.25})
    assert run.report(trial, None, 0.5) is Decision.CONTINUE
    assert run.end(trial, 0.5) is Decision.CONTINUE


def test_what_an_ended_job_says_late_or_again_changes_nothing(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    run.run_to_rung([0.5, 0.4, 0.6])
    assert run.ask().trial_id == 2
    late = Report(trial_id=2, job_id="2.1", iteration=1, losses=(0.4,), status=Status.COMPLETED)
    assert run.strategy.tell(late) is Decision.CONTINUE  # of its first job; the second one runs
    assert run.end(2, 0.3) is Decision.PAUSE


def test_reports_of_unknown_trials_change_nothing(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE)
    assert run.end(77, 0.5) is Decision.CONTINUE
    run.run_to_rung([0.5, 0.4])
    assert isinstance(run.ask(), Start)


def test_trials_that_keep_the_constraints_are_promoted_before_those_that_break_them(
    study: Any,
) -> None:
    run = study.of(AshaOptions(), **NINE, constraints=(Constraint("memory", 16.0),))
    measured = [(20.0, 0.1), (16.0, 0.5), (18.0, 0.2), (17.0, 0.3), (30.0, 0.0)]
    for trial, (memory, loss) in [(run.start(), each) for each in measured]:
        run.report(trial, 1, loss, metrics={"loss": loss, "memory": memory})
        run.end(trial, loss)
    assert run.ask().trial_id == 2
    run.run_to_rung([0.9])  # reports no memory: as far as is known, it keeps the constraint
    assert run.ask().trial_id == 6


def test_of_trials_that_break_a_constraint_the_one_that_does_so_least_is_promoted(
    study: Any,
) -> None:
    run = study.of(AshaOptions(), **NINE, constraints=(Constraint("memory", 16.0),))
    for memory in (20.0, math.nan, 18.0, 30.0):  # NaN is no result
        run.end(run.start(), 0.5, metrics={"loss": 0.5, "memory": memory})
    assert run.ask().trial_id == 3


def test_a_maximised_metric_is_promoted_by_its_loss(study: Any) -> None:
    run = study.of(AshaOptions(), **NINE, objectives=(Objective("loss", "maximize"),))
    run.run_to_rung([-0.5, -0.9, -0.7])  # losses; the metric was 0.5, 0.9 and 0.7
    assert run.ask().trial_id == 2


# -- the end ---------------------------------------------------------------------------------


def test_without_room_for_trials_promotions_still_go_on(study: Any) -> None:
    run = study.of(AshaOptions(rules=1), **NINE)
    trials = [run.start() for _ in range(3)]
    run.strategy.no_more_trials()
    for trial in trials[:2]:
        run.end(trial, trial / 10)
        assert isinstance(run.ask(), Wait)  # a promotion may be still to come
    run.end(trials[2], 0.3)
    assert run.ask() == Resume(1, 3, notes={"rung": 1})
    run.end(1, 0.05)
    assert isinstance(run.ask(), Exhausted)


def test_if_none_has_completed_the_best_of_the_highest_rung_is_trained_to_the_end(
    study: Any,
) -> None:
    run = study.of(AshaOptions(), **NINE)
    trials = [run.start() for _ in range(4)]
    run.strategy.no_more_trials()
    for trial in trials[:3]:
        run.end(trial, trial / 10)
    assert run.ask() == Resume(1, 3, notes={"rung": 1})
    run.end(1, 0.25)  # trial 4 is still running
    assert isinstance(run.ask(), Wait)
    run.end(4, 0.35)
    assert run.ask() == Resume(1, 9, notes={"rung": 2})  # the highest rung goes first
    run.end(1, None, Status.FAILED)
    assert run.ask() == Resume(2, 3, notes={"rung": 1})  # the next best, as that one has failed
    run.end(2, 0.04)
    assert run.ask() == Resume(2, 9, notes={"rung": 2})
    assert run.end(2, 0.03) is Decision.CONTINUE
    assert isinstance(run.ask(), Exhausted)


# -- brackets --------------------------------------------------------------------------------


def test_hyperband_starts_its_brackets_in_turns_each_at_its_own_rung(study: Any) -> None:
    run = study.of(HyperbandOptions(), **NINE)
    targets = [run.ask().iterations for _ in range(34)]
    assert targets == ([1] * 9 + [3] * 5 + [9] * 3) * 2
    assert run.history[9].suggestion.notes == {"bracket": 1}


def test_brackets_do_not_compete(study: Any) -> None:
    run = study.of(HyperbandOptions(), **NINE)
    trials = [run.start() for _ in range(17)]
    for trial in trials[:2] + trials[9:11]:  # two of bracket 0, two of bracket 1
        run.end(trial, 0.5)
    assert isinstance(run.ask(), Start)
    run.end(trials[11], 0.4)
    assert run.ask() == Resume(trials[11], 9, notes={"rung": 1})


def test_the_number_of_brackets_can_be_less(study: Any) -> None:
    run = study.of(HyperbandOptions(brackets=2), **NINE)
    assert [run.ask().iterations for _ in range(28)] == ([1] * 9 + [3] * 5) * 2


# -- the rule, on long streams ---------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_what_is_promoted_is_what_algorithm_2_says(study: Any, seed: int) -> None:
    """Li et al. 2020, algorithm 2, written down as it stands there: a scan over all rungs."""
    drawn = random.Random(seed)
    run = study.of(AshaOptions(eta=2), max_iterations=8)
    rungs: list[dict[int, float]] = [{}, {}, {}]
    promoted: list[set[int]] = [set(), set(), set()]
    running: dict[int, int] = {}
    for _ in range(400):
        if running and drawn.random() < 0.5:
            trial = drawn.choice(sorted(running))
            rung, loss = running.pop(trial), round(drawn.random(), 1)  # with many ties
            run.end(trial, loss)
            if rung < 3:
                rungs[rung][trial] = loss
            continue
        expected: Any = None
        for rung in (2, 1, 0):
            ranked = sorted(rungs[rung], key=lambda one, at=rung: (rungs[at][one], one))
            top = ranked[: len(ranked) // 2]
            promotable = [trial for trial in top if trial not in promoted[rung]]
            if promotable:
                expected = Resume(promotable[0], 2 ** (rung + 1), notes={"rung": rung + 1})
                promoted[rung].add(promotable[0])
                running[promotable[0]] = rung + 1
                break
        answer = run.ask()
        if expected is None:
            assert isinstance(answer, Start)
            running[len(run.jobs)] = 0
        else:
            assert answer == expected
    assert all(promoted)


def test_a_run_is_the_same_each_time(study: Any) -> None:
    def suggestions() -> list[Configuration | None]:
        run = study.of(AshaOptions(), **NINE)
        for number in itertools.islice(itertools.count(), 20):
            answer = run.ask()
            trial = len(run.jobs) if isinstance(answer, Start) else answer.trial_id
            run.end(trial, (number * 7 % 10) / 10)
        return [event.suggestion for event in run.history if hasattr(event, "suggestion")]

    assert suggestions() == suggestions()
