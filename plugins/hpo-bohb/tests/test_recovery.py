"""Recovery of searches with a model: exact, from a small state, without a replay.

The contract kit interrupts short runs at every point; these are long enough for models on several
budgets, fitted with made-up values for inactive parameters too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hpo_bohb.options import Bandit, BOHBOptions, HyperBandOptions
from hpo_bohb.plugin import build

from hpo_core.plugin import (
    Asked,
    Categorical,
    Configuration,
    Float,
    History,
    Int,
    Objective,
    Problem,
    Resume,
    SavedState,
    SearchSpace,
    Start,
    Status,
    StrategyError,
)
from hpo_core.testing.simulator import Simulator

FAST = BOHBOptions(num_samples=4, random_fraction=0.2)
SPACES = {
    "numbers": SearchSpace((Float("x", 0, 1), Float("tiny", 1e-20, 1e-15, log=True))),
    "conditional": SearchSpace(
        (
            Categorical("kind", ("sgd", "adam")),
            Float("momentum", 0, 1, when={"kind": "sgd"}),
            Int("depth", 1, 9, log=True, when={"kind": "adam"}),
        )
    ),
}


def problem(space: str) -> Problem:
    return Problem(
        space=SPACES[space],
        objectives=(Objective("loss", "minimize"),),
        seed=5,
        max_iterations=9,
        workers=3,
    )


def played(options: Bandit, space: str, jobs: int) -> Simulator:
    """Run a study whose jobs end in any order, fail now and then, and meet enqueued points."""
    stream = random.Random(1)
    run = Simulator(build(problem(space), options), problem(space))
    for number in range(jobs):
        while len(run.running) < 3:
            if stream.random() < 0.05:
                run.adopt(Start(_any_configuration(space, number)))
            else:
                run.ask()
        job = stream.choice(run.running)
        if stream.random() < 0.1:
            run.end(job, Status.FAILED)
        else:
            run.finish(job)
    return run


def _any_configuration(space: str, number: int) -> Configuration:
    return SPACES[space].draw(random.Random(number).random)


def restored(options: Bandit, space: str, history: History, saved: SavedState | None) -> Simulator:
    again = Simulator(build(problem(space), options), problem(space))
    if saved is not None:
        saved = SavedState(msgspec.json.decode(msgspec.json.encode(saved.state)), saved.events)
    again._strategy.restore(history, saved)
    return again


def assert_continues(strategy: Any, run: Simulator, cut: int) -> None:
    """Assert that a strategy gives the same answers as a run after event `cut`."""
    for event in run.history[cut:]:
        match event:
            case Asked(trial_id, suggestion, adopted=True):
                strategy.adopt(trial_id, suggestion)
            case Asked(trial_id, suggestion):
                assert strategy.ask(trial_id) == suggestion
            case _:
                assert strategy.tell(event.report) is event.decision


def model_picks(events: Sequence[Any]) -> int:
    return sum(
        event.suggestion.notes["model_based"]
        for event in events
        if isinstance(event, Asked) and not event.adopted
    )


@pytest.mark.parametrize("age", [0, 1])
@pytest.mark.parametrize("space", SPACES)
def test_recovery_of_a_search_with_a_model_is_exact(space: str, age: int) -> None:
    run = played(FAST, space, 90)
    last = len(run.history)
    for cut in range(7, last, last // 11):
        states = [state for state in run.states if state.events <= cut]
        saved = states[-1 - age] if len(states) > age else None

        strategy = restored(FAST, space, run.history[:cut], saved)._strategy

        assert_continues(strategy, run, cut)
    assert model_picks(run.history[last // 2 :]) > 20


def test_without_a_saved_state_the_history_is_replayed() -> None:
    run = played(FAST, "conditional", 60)
    strategy = restored(FAST, "conditional", run.history[:100], None)._strategy
    assert_continues(strategy, run, 100)


def test_the_state_stays_small() -> None:
    for space, most in (("numbers", 8_000), ("conditional", 12_000)):
        run = played(FAST, space, 90)
        assert max(len(msgspec.json.encode(saved.state)) for saved in run.states) < most
    run = played(HyperBandOptions(), "numbers", 90)
    assert max(len(msgspec.json.encode(saved.state)) for saved in run.states) < 4_000


def with_another_value(history: History, place: int) -> list[Any]:
    """Return a history in which a suggestion of the strategy's own has another `x`."""
    changed = list(history)
    event = changed[place]
    configuration = Configuration({**event.suggestion.configuration, "x": 0.125})
    suggestion = msgspec.structs.replace(event.suggestion, configuration=configuration)
    changed[place] = msgspec.structs.replace(event, suggestion=suggestion)
    return changed


def own_starts(history: History) -> list[int]:
    return [
        place
        for place, event in enumerate(history)
        if isinstance(event, Asked) and not event.adopted and isinstance(event.suggestion, Start)
    ]


def test_events_before_the_saved_state_are_not_replayed() -> None:
    run = played(FAST, "numbers", 60)
    other = with_another_value(run.history, own_starts(run.history)[3])

    strategy = restored(FAST, "numbers", other, run.states[-1])._strategy

    assert isinstance(strategy.ask(run.next_trial), Start | Resume)
    with pytest.raises(StrategyError, match="in another version"):  # a replay notices the change
        restored(FAST, "numbers", other, None)


def test_a_differing_event_after_the_saved_state_is_an_error() -> None:
    run = played(FAST, "numbers", 60)
    other = with_another_value(run.history, own_starts(run.history)[-1])
    older = next(
        state for state in reversed(run.states) if state.events <= own_starts(run.history)[-1]
    )

    with pytest.raises(StrategyError, match="in another version"):
        restored(FAST, "numbers", other, older)


def test_a_study_that_was_full_and_is_extended_fills_its_brackets() -> None:
    whole = problem("numbers")
    run = Simulator(build(whole, HyperBandOptions()), whole)
    for _ in range(11):  # the first bracket's nine, and two of the second one's three
        run.ask()
    run._strategy.no_more_trials()  # type: ignore[attr-defined]  # it has the method
    run.run(100)
    assert run.next_trial == 12

    again = restored(HyperBandOptions(), "numbers", run.history, run.states[-1])

    following = again._strategy.ask(12)
    assert isinstance(following, Start)
    assert following.notes["config_id"] == [1, 0, 2]
