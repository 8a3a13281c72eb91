"""Population-based training: donors, order of members and notes, computed by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hpo_asha.options import PBTOptions

from hpo_core.plugin import (
    Asked,
    Configuration,
    Constraint,
    Decision,
    Exhausted,
    Float,
    Objective,
    Resume,
    SearchSpace,
    Start,
    Status,
    Wait,
)

TEN = PBTOptions(population_size=10, perturbation_interval=3)
OLD_TEN = PBTOptions(population_size=10, perturbation_interval=3, rules=1)
LR = SearchSpace((Float("x", 0.001, 1000.0, log=True), Float("y", 0.0, 1000.0)))


def trained(run: Any, losses: list[float]) -> None:
    """Start a member for each loss, and train it for an interval."""
    for trial, loss in [(run.start(), loss) for loss in losses]:
        assert run.end(trial, loss) is Decision.PAUSE


def test_members_start_with_the_searchers_configurations_for_one_interval(study: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    answers = [run.ask() for _ in range(10)]
    assert all(isinstance(answer, Start) and answer.iterations == 3 for answer in answers)
    assert answers[0].notes == {"generation": 0}
    assert len({answer.configuration for answer in answers}) == 10
    assert isinstance(run.ask(), Wait)


def test_truncation_selection_the_worst_fifth_copies_from_the_best_fifth(study: Any) -> None:
    # Jaderberg et al. 2017, section 4.1.1: of ten members the worst two copy one of the best two.
    run = study.of(TEN, space=LR, max_iterations=9)
    losses = [0.5, 0.9, 0.1, 0.6, 0.4, 0.3, 0.8, 0.7, 0.2, 0.55]  # worst: 2 and 7; best: 3 and 9
    trained(run, losses)
    resumes = {answer.trial_id: answer for answer in (run.ask() for _ in range(10))}
    copies = {trial for trial, answer in resumes.items() if answer.checkpoint_from is not None}
    assert copies == {2, 7}
    assert {resumes[trial].checkpoint_from for trial in copies} <= {3, 9}
    assert all(answer.iterations == 6 for answer in resumes.values())
    assert resumes[1] == Resume(1, 6, notes={"generation": 1})


def test_a_copy_takes_the_donors_values_changed_and_notes_whose_and_how(study: Any) -> None:
    options = PBTOptions(population_size=10, perturbation_interval=3, resample_probability=0.0)
    run = study.of(options, space=LR, max_iterations=9)
    trained(run, [0.5, 0.9, 0.1, 0.6, 0.4, 0.3, 0.8, 0.7, 0.2, 0.55])
    resumes = {answer.trial_id: answer for answer in (run.ask() for _ in range(10))}
    starts = [event.suggestion.configuration for event in run.history[:10]]
    for trial in (2, 7):
        answer = resumes[trial]
        donor = starts[answer.notes["from"] - 1]
        assert answer.notes["from"] == answer.checkpoint_from
        assert answer.notes["generation"] == 1
        for name in ("x", "y"):
            ratio = answer.configuration[name] / donor[name]
            assert ratio == pytest.approx(1.2) or ratio == pytest.approx(0.8)
            assert answer.notes["changed"][name] == {
                "from": donor[name],
                "to": answer.configuration[name],
            }


def test_a_schedule_can_be_read_from_the_notes(study: Any) -> None:
    run = study.of(
        PBTOptions(population_size=4, quantile_fraction=0.25), space=LR, max_iterations=20
    )
    while not isinstance(answer := run.ask(), Exhausted):
        trial = len(run.jobs) if isinstance(answer, Start) else answer.trial_id
        run.end(trial, (trial * 7 + answer.iterations * 3) % 11 / 11)
    asked = [event.suggestion for event in run.history if isinstance(event, Asked)]
    own = [one for one in asked if isinstance(one, Resume) and one.trial_id == 1]
    assert [one.notes["generation"] for one in own] == list(range(1, 10))
    assert any("from" in one.notes for one in own)
    for one in own:
        assert (one.checkpoint_from is None) is ("from" not in one.notes)


def test_member_with_the_fewest_iterations_continues_first(study: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    trained(run, [0.5] * 10)
    assert [run.ask().trial_id for _ in range(3)] == [1, 2, 3]
    run.end(2, 0.4)
    assert [run.ask().trial_id for _ in range(8)] == [4, 5, 6, 7, 8, 9, 10, 2]


def test_no_member_copies_before_there_are_enough_scores(study: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    trials = [run.start() for _ in range(10)]
    for trial in trials[:4]:  # a fifth of four is nobody
        run.end(trial, trial / 10)
    assert all(run.ask().checkpoint_from is None for _ in range(4))


def test_a_donor_is_at_rest_if_there_is_one(study: Any) -> None:
    for seed in range(20):
        run = study.of(TEN, max_iterations=9, seed=seed)
        trained(run, [place / 10 for place in range(10)])  # best: 1 and 2; worst: 9 and 10
        for trial in range(1, 9):
            assert run.ask().trial_id == trial
        run.end(2, 0.15)  # 2 is at rest again, 1 runs
        copies = [run.ask() for _ in range(2)]
        assert {answer.checkpoint_from for answer in copies} == {2}
        assert {answer.iterations for answer in copies} == {9}  # an interval beyond the donor's


def test_who_copies_a_running_donor_trains_as_far_as_that_one_does(study: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    trained(run, [place / 10 for place in range(10)])
    for _ in range(8):
        run.ask()
    answer = run.ask()
    assert answer.checkpoint_from in (1, 2)
    assert answer.iterations == 6


def test_fully_trained_member_is_not_a_donor(study: Any) -> None:
    run = study.of(PBTOptions(population_size=2, quantile_fraction=0.5), max_iterations=4)
    trials = [run.start(), run.start()]
    while run.jobs[1] < 4:
        run.end(trials[0], 0.1)
        run.ask()
    assert run.end(trials[0], 0.1) is Decision.CONTINUE  # completed, and the best
    run.end(trials[1], 0.9)
    assert run.ask() == Resume(2, 2, notes={"generation": 1})


def test_a_member_whose_job_fails_is_not_replaced_with_the_old_rules(study: Any) -> None:
    run = study.of(OLD_TEN, max_iterations=9)
    trained(run, [0.5] * 9)
    run.end(run.start(), None, Status.FAILED)
    assert [run.ask().trial_id for _ in range(9)] == list(range(1, 10))
    assert isinstance(run.ask(), Wait)


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMED_OUT])
def test_a_member_whose_job_fails_becomes_a_copy_of_a_good_one(study: Any, status: Status) -> None:
    run = study.of(TEN, max_iterations=9)
    trained(run, [place / 10 for place in range(9)])
    run.end(run.start(), None, status)
    answers = [run.ask() for _ in range(10)]
    assert answers[0].trial_id == 10  # it has trained least
    assert answers[0].checkpoint_from == 1
    assert answers[0].configuration is not None
    assert run.end(10, 0.2) is Decision.PAUSE


def test_a_member_that_fails_three_times_one_after_the_other_is_given_up(study: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    trained(run, [0.5] * 9)
    run.end(run.start(), None, Status.FAILED)
    for _ in range(2):
        assert run.ask().trial_id == 10
        run.end(10, None, Status.FAILED)
    assert [run.ask().trial_id for _ in range(9)] == list(range(1, 10))
    assert isinstance(run.ask(), Wait)


def test_exploiting_continues_while_two_members_remain(study: Any) -> None:
    options = PBTOptions(population_size=10, quantile_fraction=0.1, perturbation_interval=3)
    run = study.of(options, max_iterations=30)
    trained(run, [place / 10 for place in range(10)])
    for _ in range(10):
        run.ask()
    for trial in range(3, 11):
        run.end(trial, None, Status.STOPPED)  # a searcher's own decision: it can't be resumed
    run.end(1, 0.1)
    run.end(2, 0.2)
    assert [run.ask().checkpoint_from for _ in range(2)] == [None, 1]


@pytest.mark.parametrize(("rules", "copies"), [(1, {None, 1}), (2, {None, 2})])
def test_a_member_is_ranked_by_its_last_value_also_where_the_best_one_counts(
    study: Any, rules: int, copies: set[int | None]
) -> None:
    objective = Objective("loss", "minimize", value="best")
    options = PBTOptions(
        population_size=2, quantile_fraction=0.5, perturbation_interval=3, rules=rules
    )
    run = study.of(options, max_iterations=9, objectives=(objective,))
    trials = [run.start(), run.start()]
    run.report(trials[0], 2, 0.1)
    run.report(trials[0], 3, math.nan, losses=(0.1,))  # it has diverged
    run.end(trials[0], 0.1, metrics={})
    run.report(trials[1], 3, 0.5)
    run.end(trials[1], 0.5, metrics={})
    answers = [run.ask() for _ in trials]
    copied = {answer.checkpoint_from for answer in answers}
    assert copied == copies


def test_when_every_member_has_failed_another_population_begins(study: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    for trial in [run.start() for _ in range(10)]:
        assert isinstance(run.ask(), Wait)
        run.end(trial, None, Status.FAILED)
    assert [run.start() for _ in range(10)] == list(range(11, 21))


def test_where_the_budget_ends_within_a_population_users_are_told(study: Any, caplog: Any) -> None:
    run = study.of(OLD_TEN, max_iterations=9)
    trained(run, [0.5] * 9)
    run.strategy.no_more_trials()
    assert "the budget of trials ends with 9 of a population's 10" in caplog.text
    assert isinstance(run.ask(), Exhausted)
    extended = study.of(OLD_TEN, max_iterations=9)
    extended.strategy.restore(run.history, None)
    extended.jobs = dict(run.jobs)
    assert extended.start() == 10


def test_population_continues_after_the_budget_of_trials(study: Any, caplog: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    trained(run, [0.5] * 9)
    run.strategy.no_more_trials()
    assert "ends with 9 of a population's 10: it goes on with those" in caplog.text
    assert [run.ask().trial_id for _ in range(9)] == list(range(1, 10))


def test_complete_population_continues_without_new_trials(study: Any, caplog: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    trained(run, [0.5] * 10)
    run.strategy.no_more_trials()
    assert caplog.text == ""
    assert isinstance(run.ask(), Resume)


def test_when_all_have_trained_to_the_end_it_is_exhausted(study: Any) -> None:
    run = study.of(PBTOptions(population_size=5), max_iterations=10)
    last: dict[int, int] = {}
    while not isinstance(answer := run.ask(), Exhausted):
        trial = len(run.jobs) if isinstance(answer, Start) else answer.trial_id
        decision = run.end(trial, trial / 10)
        last[trial] = answer.iterations
        assert decision is (Decision.CONTINUE if answer.iterations == 10 else Decision.PAUSE)
    assert last == dict.fromkeys(range(1, 6), 10)


def test_non_finite_score_is_the_worst_and_not_a_donor(study: Any) -> None:
    run = study.of(PBTOptions(population_size=2, quantile_fraction=0.5), max_iterations=9)
    trials = [run.adopt({"x": 0.1}), run.adopt({"x": 0.2})]
    for trial, loss in zip(trials, (math.nan, math.nan)):
        assert run.report(trial, 1, loss) is Decision.PAUSE
        run.end(trial, loss, Status.PAUSED, 1)
    assert [run.ask().checkpoint_from for _ in range(2)] == [None, None]


def test_who_keeps_the_constraints_is_copied(study: Any) -> None:
    constraints = (Constraint("memory", 16.0),)
    options = PBTOptions(population_size=2, quantile_fraction=0.5)
    run = study.of(options, max_iterations=9, constraints=constraints)
    for trial, memory, loss in [(run.start(), 20.0, 0.1), (run.start(), 8.0, 0.9)]:
        run.end(trial, loss, metrics={"loss": loss, "memory": memory})
    assert run.ask().checkpoint_from == 2


def test_an_enqueued_trial_is_a_member_and_paused_like_the_others(study: Any) -> None:
    run = study.of(TEN, max_iterations=9)
    trial = run.adopt({"x": 0.125})
    trained(run, [0.5] * 9)
    assert run.report(trial, 3, 0.1) is Decision.PAUSE
    run.end(trial, 0.1, Status.PAUSED, 3)
    answer = run.ask()
    assert answer == Resume(trial, 6, notes={"generation": 1})


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.STOPPED, Status.FAILED])
def test_adopted_trial_that_was_never_paused_is_not_a_member(study: Any, status: Status) -> None:
    run = study.of(TEN, max_iterations=9)
    for _ in range(12):
        run.end(run.adopt({"x": 0.125}), 0.0, status)
    assert [run.start() for _ in range(10)] == list(range(13, 23))


def test_parameters_that_are_not_to_be_perturbed_are_copied(study: Any) -> None:
    options = PBTOptions(population_size=2, quantile_fraction=0.5, perturb=("x",))
    run = study.of(options, space=LR, max_iterations=9)
    for trial, loss in [(run.start(), 0.1), (run.start(), 0.9)]:
        run.end(trial, loss)
    run.ask()
    answer = run.ask()
    first = run.history[0].suggestion.configuration
    assert answer.configuration["y"] == first["y"]
    assert answer.configuration["x"] != first["x"]


def test_a_decision_depends_on_the_seed_the_trial_and_the_generation_alone(study: Any) -> None:
    def exploited(seed: int, delay: int) -> Configuration:
        options = PBTOptions(population_size=2, quantile_fraction=0.5)
        run = study.of(options, space=LR, max_iterations=9, seed=seed)
        for x in (0.5, 0.25):
            trial = run.adopt({"x": x, "y": x})
            for _ in range(delay):
                run.report(trial, 0, x)
            run.report(trial, 1, x)
            run.end(trial, x, Status.PAUSED, 1)
        answer = run.ask()
        assert answer.checkpoint_from == 2
        return answer.configuration

    assert exploited(1, delay=0) == exploited(1, delay=3)
    assert exploited(1, delay=0) != exploited(2, delay=0)
