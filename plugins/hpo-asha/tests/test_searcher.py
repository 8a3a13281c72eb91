"""The searcher's reports, its decisions, and its part of the history."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hpo_asha.halving import SuccessiveHalving
from hpo_asha.median import Median
from hpo_asha.options import AshaOptions, ShaOptions
from hpo_asha.plugin import build
from hpo_asha.population import Population, Settings
from hpo_asha.promotion import Promotion
from hpo_asha.rungs import BracketTurns
from hpo_asha.searcher import Searcher
from hpo_asha.stopping import Stopping

from hpo_core.plugin import (
    Asked,
    Capability,
    Configuration,
    Decision,
    Exhausted,
    InvalidInput,
    Resume,
    SavedState,
    Start,
    Status,
    StrategyChoice,
    StrategyError,
    Told,
    Wait,
)

ALL = frozenset(Capability)


def promotion(problem: Any, inner: Any, **more: Any) -> Promotion:
    brackets = BracketTurns([(1, 3, 9)], [1])
    return Promotion(problem(max_iterations=9), Searcher("mine", inner, ALL), brackets, 3)


def stopping(problem: Any, inner: Any) -> Stopping:
    brackets = BracketTurns([(1, 3, 9)], [1])
    return Stopping(problem(max_iterations=9), Searcher("mine", inner, ALL), brackets, 3)


def halving(problem: Any, inner: Any) -> SuccessiveHalving:
    return SuccessiveHalving(problem(max_iterations=3), Searcher("mine", inner, ALL), (1, 3), 3, 3)


def population(problem: Any, inner: Any) -> Population:
    settings = Settings(
        population_size=2,
        interval=3,
        quantile_fraction=0.5,
        names=("x",),
        resample_probability=0.0,
        perturbation_factors=(1.2, 0.8),
    )
    return Population(problem(max_iterations=9), Searcher("mine", inner, ALL), settings)


# -- what it is told -------------------------------------------------------------------------


def test_it_is_told_every_report_of_a_running_job(study: Any, memory: Any, problem: Any) -> None:
    inner = memory()
    run = study(promotion(problem, inner))
    trial = run.start()
    for iteration, loss in ((1, 0.3), (2, 0.2)):
        run.report(trial, iteration, loss)
    assert inner.told == [event.report for event in run.history if isinstance(event, Told)]


def test_a_trial_that_is_passed_over_at_a_rung_is_final_as_stopped_there(
    study: Any, memory: Any, problem: Any
) -> None:
    inner = memory()
    run = study(promotion(problem, inner))
    run.run_to_rung([0.5, 0.4, 0.6])
    # Of fewer than three none is promoted; the third one is not the best. Iterations were not
    # reported: they are the rung's.
    assert inner.finals == [
        (1, "stopped", 1, 0.5),
        (2, "stopped", 1, 0.4),
        (3, "stopped", 1, 0.6),
    ]


def test_a_trial_that_is_promoted_is_final_where_it_is_not_promoted_any_more(
    study: Any, memory: Any, problem: Any
) -> None:
    inner = memory()
    run = study(promotion(problem, inner))
    run.run_to_rung([0.5, 0.4, 0.6])
    run.ask()
    run.run_to_rung([0.1])  # the best of four: it waits for its promotion
    assert len(inner.finals) == 3
    assert run.ask().trial_id == 4
    run.end(4, 0.05, iteration=3)
    assert inner.finals[3:] == [(4, "stopped", 3, 0.05)]


def test_a_trial_that_is_pushed_out_by_a_better_one_before_its_promotion_is_final(
    study: Any, memory: Any, problem: Any
) -> None:
    inner = memory()
    run = study(promotion(problem, inner))
    trials = [run.start() for _ in range(5)]
    for trial, loss in zip(trials[:4], (0.9, 0.8, 0.7, 0.2)):
        run.end(trial, loss)
    assert len(inner.finals) == 3
    run.end(trials[4], 0.1)
    assert inner.finals[3:] == [(4, "stopped", 1, 0.2)]


def test_a_completed_trial_is_final_as_that(study: Any, memory: Any, problem: Any) -> None:
    inner = memory()
    run = study(promotion(problem, inner))
    for losses, promoted in (([0.5, 0.4, 0.6], 2), ([0.3], 4), ([0.8, 0.2], 6)):
        run.run_to_rung(losses)
        assert run.ask().trial_id == promoted
        run.end(promoted, 1 / promoted, iteration=3)
    assert run.ask() == Resume(6, 9, notes={"rung": 2})  # the best of three at rung 1
    run.end(6, 0.05, iteration=9)
    assert inner.finals[-1] == (6, "completed", 9, 0.05)


@pytest.mark.parametrize("make", [promotion, halving, population, stopping])
def test_every_trial_is_final_exactly_once(
    study: Any, memory: Any, problem: Any, make: Any
) -> None:
    inner = memory()
    run = study(make(problem, inner))
    for number in range(60):
        answer = run.ask()
        if isinstance(answer, Exhausted):
            break
        trial = len(run.jobs) if isinstance(answer, Start) else answer.trial_id
        loss = (number * 37 % 101) / 101
        for iteration in range(1, (answer.iterations or 9) + 1):
            run.report(trial, iteration, loss)
        run.end(trial, loss, iteration=iteration)
    told = [trial for trial, *_ in inner.finals]
    assert len(told) == len(set(told))
    still_promotable = 1 if make is promotion else 0
    assert len(run.jobs) - len(told) <= still_promotable
    ended = {each.trial_id: place for place, each in enumerate(inner.told) if each.is_final}
    late = [each for place, each in enumerate(inner.told) if place > ended.get(each.trial_id, 1e9)]
    assert late == []


@pytest.mark.parametrize("make", [halving, population])
def test_where_a_whole_bracket_or_population_comes_first_a_first_pause_is_final(
    study: Any, memory: Any, problem: Any, make: Any
) -> None:
    inner = memory()
    run = study(make(problem, inner))
    run.run_to_rung([0.5, 0.4])
    iteration = 1 if make is halving else 3
    assert inner.finals == [(1, "stopped", iteration, 0.5), (2, "stopped", iteration, 0.4)]


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMED_OUT, Status.STOPPED])
@pytest.mark.parametrize("make", [promotion, halving, population, stopping])
def test_how_a_job_ended_otherwise_is_told_as_it_is(
    study: Any, memory: Any, problem: Any, make: Any, status: Status
) -> None:
    inner = memory()
    run = study(make(problem, inner))
    run.end(run.start(), None, status, 2)
    assert inner.finals == [(1, status.value, 2, None)]


def test_an_enqueued_trial_is_adopted_by_the_searcher(
    study: Any, memory: Any, problem: Any
) -> None:
    inner = memory()
    run = study(promotion(problem, inner))
    trial = run.adopt({"x": 0.5})
    run.report(trial, 1, 0.3)
    run.end(trial, 0.3, Status.PAUSED, 1)
    assert inner.adopted == [trial]
    assert inner.finals == [(trial, "stopped", 1, 0.3)]


# -- what it decides -------------------------------------------------------------------------


@pytest.mark.parametrize("make", [promotion, halving, population, stopping])
def test_its_decision_to_stop_is_honoured(study: Any, memory: Any, problem: Any, make: Any) -> None:
    run = study(make(problem, memory(stops_at=0.9)))
    trial = run.start()
    assert run.report(trial, 1, 0.5) is not Decision.STOP
    assert run.report(trial, 1, 0.95) is Decision.STOP
    assert run.end(trial, 0.95, Status.STOPPED, 1) is Decision.CONTINUE


def test_when_it_is_exhausted_promotions_still_go_on(study: Any, memory: Any, problem: Any) -> None:
    run = study(promotion(problem, memory(last=3)))
    trials = [run.start() for _ in range(3)]
    assert isinstance(run.ask(), Wait)
    for trial in trials:
        run.end(trial, trial / 10)
    assert run.ask() == Resume(1, 3, notes={"rung": 1})
    run.end(1, 0.1)
    assert run.ask() == Resume(1, 9, notes={"rung": 2})  # else none would be trained to the end
    run.end(1, 0.1)
    assert isinstance(run.ask(), Exhausted)


def test_it_may_wait_for_reports_but_not_for_nothing(study: Any, memory: Any, problem: Any) -> None:
    inner = memory()
    run = study(promotion(problem, inner))
    trial = run.start()
    inner.ask = lambda trial_id: Wait()
    assert isinstance(run.ask(), Wait)
    run.end(trial, 0.5)
    with pytest.raises(StrategyError, match="the searcher 'mine' waits although nothing is"):
        run.ask()


@pytest.mark.parametrize(
    ("answer", "does"),
    [
        (Start(Configuration(x=0.5), iterations=3), "says how far a trial is to train"),
        (Resume(1, 3), "resumes a trial"),
    ],
)
def test_a_searcher_that_does_more_than_suggest_is_an_error(
    study: Any, memory: Any, problem: Any, answer: Any, does: str
) -> None:
    inner = memory()
    inner.ask = lambda trial_id: answer
    with pytest.raises(StrategyError, match=f"the searcher 'mine' {does}"):
        study(promotion(problem, inner)).ask()


def test_a_searcher_that_pauses_is_an_error(study: Any, memory: Any, problem: Any) -> None:
    inner = memory()
    inner.tell = lambda report: Decision.PAUSE
    run = study(promotion(problem, inner))
    with pytest.raises(StrategyError, match="the searcher 'mine' pauses a job"):
        run.report(run.start(), 1, 0.5)


def test_a_strategy_that_carries_trials_on_itself_is_refused_as_a_searcher(problem: Any) -> None:
    for inner in ("asha", "asha:sha", "asha:pbt"):
        with pytest.raises(InvalidInput) as caught:
            build(problem(), AshaOptions(searcher=StrategyChoice(inner)))
        (fault,) = caught.value.faults
        assert fault.path == "searcher"
        assert fault.message.startswith(f"{inner!r} resumes trials itself")


def test_one_that_stops_jobs_itself_is_a_searcher(study: Any) -> None:
    run = study.of(ShaOptions(searcher=StrategyChoice("asha:median", {"min_trials": 1})))
    assert isinstance(run.ask(), Start)


def test_capabilities_are_its_own_and_the_searchers(memory: Any, problem: Any) -> None:
    can = {Capability.INTEGERS, Capability.RESUMING, Capability.CONSTRAINTS}
    searcher = Searcher("mine", memory(), frozenset({*can, Capability.MULTI_OBJECTIVE}))
    brackets = BracketTurns([(1, 27)], [1])
    assert Promotion(problem(), searcher, brackets, 3).capabilities == {*can, Capability.STOPPING}
    searcher = Searcher("mine", memory(), frozenset({Capability.CONSTRAINTS}))
    assert Stopping(problem(), searcher, brackets, 3).capabilities == {
        Capability.STOPPING,
        Capability.CONSTRAINTS,
    }
    assert Median(problem(), searcher, 5, 1).capabilities == {Capability.STOPPING}


# -- recovery --------------------------------------------------------------------------------


def a_run(study: Any, memory: Any, problem: Any, make: Any) -> Any:
    run = study(make(problem, memory(stops_at=0.95)))
    for number in range(30):
        answer = run.ask()
        if isinstance(answer, Exhausted):
            break
        trial = len(run.jobs) if isinstance(answer, Start) else answer.trial_id
        loss = (number * 37 % 101) / 101
        stopped = run.report(trial, 1, loss) is Decision.STOP
        run.end(trial, loss, Status.STOPPED if stopped else Status.COMPLETED, 1)
    run.adopt({"x": 0.5})
    return run


@pytest.mark.parametrize("make", [promotion, halving, population, stopping])
def test_it_restores_itself_from_its_own_part_of_the_history_and_is_not_asked_again(
    study: Any, memory: Any, problem: Any, make: Any
) -> None:
    run = a_run(study, memory, problem, make)
    inner = memory()
    saved = run.states[-2]
    make(problem, inner).restore(run.history, saved)
    history, state = inner.restored
    assert inner.asked == 0
    assert state == SavedState(saved.state["searcher"], saved.state["searcher"]["seen"])
    asked = [event for event in history if isinstance(event, Asked)]
    starts = [e for e in run.history if isinstance(e, Asked) and isinstance(e.suggestion, Start)]
    assert [event.trial_id for event in asked] == [event.trial_id for event in starts]
    assert [event.suggestion.notes for event in asked[:2]] == [{"draw": 1}, {"draw": 2}]
    assert all(event.suggestion.iterations is None for event in asked)
    assert [event.adopted for event in asked] == [False] * (len(asked) - 1) + [True]
    told = [event for event in history if isinstance(event, Told)]
    assert [event.report for event in told] == run.strategy._searcher._strategy.told


@pytest.mark.parametrize("make", [promotion, stopping])
def test_its_decisions_to_stop_are_in_its_history(
    study: Any, memory: Any, problem: Any, make: Any
) -> None:
    run = a_run(study, memory, problem, make)
    inner = memory()
    make(problem, inner).restore(run.history, run.states[-1])
    for event in inner.restored[0]:
        if isinstance(event, Told) and not event.report.is_final:
            is_bad = event.report.losses[0] >= 0.95
            assert event.decision is Decision.STOP or not is_bad


def test_without_a_saved_state_it_gets_the_history_alone(
    study: Any, memory: Any, problem: Any
) -> None:
    run = a_run(study, memory, problem, promotion)
    inner = memory()
    promotion(problem, inner).restore(run.history, None)
    assert inner.restored[1] is None


def test_the_state_is_the_searchers_and_nothing_else(study: Any, memory: Any, problem: Any) -> None:
    run = a_run(study, memory, problem, promotion)
    inner = run.strategy._searcher._strategy
    assert run.strategy.save_state() == {"searcher": inner.save_state()}
    assert study.of(AshaOptions()).strategy.save_state() is None  # random search needs none


def test_it_is_closed_with_the_scheduler(memory: Any, problem: Any) -> None:
    inner = memory()
    promotion(problem, inner).close()
    assert inner.closed


def test_what_is_told_is_what_was_reported(study: Any, memory: Any, problem: Any) -> None:
    inner = memory()
    run = study(stopping(problem, inner))
    run.report(run.start(), 1, 0.5, metrics={"loss": 0.5, "accuracy": 0.9})
    assert inner.told == [run.history[-1].report]
    assert msgspec.structs.asdict(inner.told[0])["metrics"] == {"loss": 0.5, "accuracy": 0.9}
