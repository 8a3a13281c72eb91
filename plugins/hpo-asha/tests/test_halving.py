"""Synchronous successive halving: the brackets of Hyperband's table, and special cases."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hpo_asha.options import ShaOptions

from hpo_core.plugin import Decision, Exhausted, Int, Resume, SearchSpace, Start, Status, Wait


def run_bracket(run: Any, workers: int = 4) -> list[tuple[int, int]]:
    """Run jobs until a second bracket begins; return each one's trial and target."""
    jobs: list[tuple[int, int]] = []
    running: list[int] = []
    while True:
        answer = run.ask()
        if isinstance(answer, Start) and answer.notes == {"bracket": 1}:
            return jobs
        if isinstance(answer, Start | Resume):
            trial = len(run.jobs) if isinstance(answer, Start) else answer.trial_id
            running.append(trial)
            jobs.append((trial, answer.iterations))
        else:
            assert isinstance(answer, Wait)
        if len(running) == workers or isinstance(answer, Wait):
            done = running.pop(0)
            run.end(done, (done * 37 % 101) / 101)


@pytest.mark.parametrize(
    ("n", "r", "expected"),
    [  # Li et al. 2018, table 1: R = 81 and eta = 3; n_i at r_i for each bracket s
        (81, 1, {1: 81, 3: 27, 9: 9, 27: 3, 81: 1}),
        (34, 3, {3: 34, 9: 11, 27: 3, 81: 1}),
        (15, 9, {9: 15, 27: 5, 81: 1}),
        (8, 27, {27: 8, 81: 2}),
    ],
)
def test_a_bracket_has_as_many_trials_at_each_rung_as_hyperbands_table_says(
    study: Any, n: int, r: int, expected: dict[int, int]
) -> None:
    run = study.of(ShaOptions(n=n, grace_period=r), max_iterations=81)
    assert Counter(target for _, target in run_bracket(run)) == expected


def test_a_bracket_begins_with_as_many_trials_as_bring_one_to_its_end(study: Any) -> None:
    run = study.of(ShaOptions(), max_iterations=27)
    assert Counter(target for _, target in run_bracket(run)) == {1: 27, 3: 9, 9: 3, 27: 1}


def test_the_best_of_each_rung_are_promoted(study: Any) -> None:
    jobs = run_bracket(study.of(ShaOptions(), max_iterations=9))
    losses = {trial: (trial * 37 % 101) / 101 for trial in range(1, 10)}
    best = sorted(losses, key=losses.__getitem__)
    assert [trial for trial, target in jobs if target == 3] == best[:3]
    assert [trial for trial, target in jobs if target == 9] == best[:1]


def test_a_rung_is_waited_for(study: Any) -> None:
    run = study.of(ShaOptions(eta=2), max_iterations=2)
    first, second = run.start(), run.start()
    run.end(first, 0.1)
    assert isinstance(run.ask(), Wait)
    run.end(second, 0.2)
    assert run.ask() == Resume(first, 2, notes={"rung": 1})
    assert isinstance(run.ask(), Wait)  # the next bracket begins when this one is over
    assert run.end(first, 0.1) is Decision.CONTINUE
    assert run.ask().notes == {"bracket": 1}


def test_a_failed_trial_keeps_its_place_and_is_not_promoted(study: Any) -> None:
    run = study.of(ShaOptions(), max_iterations=3)
    trials = [run.start() for _ in range(3)]
    run.end(trials[0], None, Status.FAILED)
    run.end(trials[1], 0.9)
    run.end(trials[2], None, Status.TIMED_OUT)
    assert run.ask() == Resume(trials[1], 3, notes={"rung": 1})


def test_a_bracket_in_which_all_fail_is_over(study: Any) -> None:
    run = study.of(ShaOptions(), max_iterations=3)
    for trial in [run.start() for _ in range(3)]:
        run.end(trial, None, Status.FAILED)
    assert run.ask().notes == {"bracket": 1}


def test_non_finite_result_is_not_promoted(study: Any) -> None:
    run = study.of(ShaOptions(eta=2), max_iterations=2)
    for trial in [run.adopt({"x": 0.1}), run.adopt({"x": 0.2})]:
        run.report(trial, 1, math.nan)
        run.end(trial, math.nan, Status.PAUSED, 1)
    assert run.ask().notes == {"bracket": 1}


def test_an_enqueued_trial_takes_one_of_the_brackets_places(study: Any) -> None:
    run = study.of(ShaOptions(), max_iterations=3)
    trial = run.adopt({"x": 0.5})
    others = [run.start(), run.start()]
    assert isinstance(run.ask(), Wait)
    assert run.report(trial, 1, 0.1) is Decision.PAUSE
    run.end(trial, 0.1, Status.PAUSED, 1)
    for other in others:
        run.end(other, 0.5)
    assert run.ask() == Resume(trial, 3, notes={"rung": 1})


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.STOPPED, Status.FAILED])
def test_a_trial_from_elsewhere_that_was_never_paused_gives_its_place_back(
    study: Any, status: Status
) -> None:
    run = study.of(ShaOptions(), max_iterations=3)
    for _ in range(5):
        run.end(run.adopt({"x": 0.5}), 0.0, status)
    trials = [run.start() for _ in range(3)]
    assert isinstance(run.ask(), Wait)
    for trial in trials:
        run.end(trial, trial / 10)
    assert run.ask() == Resume(trials[0], 3, notes={"rung": 1})


def test_a_trial_enqueued_when_the_bracket_is_full_opens_the_next_one(study: Any) -> None:
    run = study.of(ShaOptions(), max_iterations=3)
    trials = [run.start() for _ in range(3)]
    extra = run.adopt({"x": 0.5})
    assert run.ask().notes == {"bracket": 1}
    run.end(extra, 0.0, iteration=1)
    for trial in trials:
        run.end(trial, trial / 10)
    assert run.ask().trial_id == trials[0]


def test_bracket_continues_with_its_trials_when_the_searcher_is_exhausted(study: Any) -> None:
    four = SearchSpace((Int("x", 1, 4),))
    run = study.of(ShaOptions(), space=four, max_iterations=9)
    trials = [run.start() for _ in range(4)]
    for trial in trials[:3]:
        run.end(trial, trial / 10)
    assert isinstance(run.ask(), Wait)
    run.end(trials[3], 0.4)
    for target in (3, 9):  # of four one is promoted, and then one of one
        assert run.ask() == Resume(trials[0], target, notes={"rung": 1 if target == 3 else 2})
        run.end(trials[0], 0.1)
    assert isinstance(run.ask(), Exhausted)


def test_where_the_budget_ends_within_a_bracket_it_stays_open_and_users_are_told(
    study: Any, caplog: Any
) -> None:
    run = study.of(ShaOptions(rules=1), max_iterations=3)
    trials = [run.start() for _ in range(2)]
    run.strategy.no_more_trials()
    assert "the budget of trials ends with 2 of a bracket's 3: they are not compared" in caplog.text
    for trial in trials:
        assert isinstance(run.ask(), Wait)
        run.end(trial, trial / 10)
    assert isinstance(run.ask(), Exhausted)
    extended = study.of(ShaOptions(rules=1), max_iterations=3)
    extended.strategy.restore(run.history, None)
    extended.jobs = dict(run.jobs)
    extended.end(extended.start(), 0.3)
    assert extended.ask() == Resume(trials[0], 3, notes={"rung": 1})


def test_first_bracket_continues_with_its_trials_after_the_budget_of_trials(
    study: Any, caplog: Any
) -> None:
    run = study.of(ShaOptions(), max_iterations=3)
    trials = [run.start() for _ in range(2)]
    run.strategy.no_more_trials()
    assert "ends with 2 of a bracket's 3: it goes on with those" in caplog.text
    for trial in trials:
        assert isinstance(run.ask(), Wait)
        run.end(trial, trial / 10)
    assert run.ask() == Resume(trials[0], 3, notes={"rung": 1})
    assert run.end(trials[0], 0.1) is Decision.CONTINUE
    assert isinstance(run.ask(), Exhausted)


def test_where_the_budget_ends_after_a_bracket_its_promotions_go_on(
    study: Any, caplog: Any
) -> None:
    run = study.of(ShaOptions(), max_iterations=3)
    trials = [run.start() for _ in range(3)]
    run.strategy.no_more_trials()
    assert caplog.text == ""
    for trial in trials:
        assert isinstance(run.ask(), Wait)
        run.end(trial, trial / 10)
    assert run.ask() == Resume(trials[0], 3, notes={"rung": 1})
    run.end(trials[0], 0.1)
    assert isinstance(run.ask(), Exhausted)
