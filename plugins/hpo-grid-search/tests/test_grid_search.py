"""Grid search visits each point of its grid once, in order, whatever else happens."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from importlib.metadata import entry_points

import pytest
from hpo_grid_search.options import GridOptions
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.plugin import (
    Asked,
    Capability,
    Categorical,
    Configuration,
    Decision,
    Exhausted,
    Float,
    Int,
    InvalidInput,
    Lattice,
    Objective,
    Parameter,
    ParameterSet,
    Problem,
    Report,
    SearchSpace,
    Start,
    Status,
    Strategy,
    StrategyError,
    StrategySpec,
    Told,
)

NESTED = SearchSpace(
    (
        Categorical("model", ("linear", "tree", "net")),
        Int("depth", 1, 7, step=3, when={"model": "tree"}),
        Int("layers", 1, 2, when={"model": "net"}),
        Categorical("dropout", (True, False), when={"layers": 2}),
        ParameterSet("data", ({"scaler": "none", "size": 1}, {"scaler": "unit", "size": 2})),
    ),
    ({"model": "tree", "scaler": "none"},),
)


def spec() -> StrategySpec:
    """The strategy as the core finds it."""
    (entry,) = entry_points(group="hpo_core", name="grid")
    (announced,) = entry.load().hpo_strategies()
    assert isinstance(announced, StrategySpec)
    return announced


def grid(space: SearchSpace, points: int | dict[str, int] | None = None) -> Strategy:
    problem = Problem(space=space, objectives=(Objective("loss", "minimize"),), seed=0)
    return spec().build(problem, GridOptions(points))


def asked(strategy: Strategy, first: int = 0) -> Iterator[Configuration]:
    for trial_id in itertools.count(first):
        answer = strategy.ask(trial_id)
        if isinstance(answer, Exhausted):
            return
        assert isinstance(answer, Start)
        yield answer.configuration


def along(axis: Parameter, points: int | None = None) -> list[object]:
    return [configuration[axis.name] for configuration in asked(grid(SearchSpace((axis,)), points))]


# -- what it visits --------------------------------------------------------------------------


def test_it_visits_each_configuration_once_with_conditions_sets_and_forbidden_ones() -> None:
    seen = list(asked(grid(NESTED)))
    assert [tuple(configuration.values()) for configuration in seen] == [
        ("linear", "none", 1),
        ("linear", "unit", 2),
        ("tree", 1, "unit", 2),
        ("tree", 4, "unit", 2),
        ("tree", 7, "unit", 2),
        ("net", 1, "none", 1),
        ("net", 1, "unit", 2),
        ("net", 2, True, "none", 1),
        ("net", 2, True, "unit", 2),
        ("net", 2, False, "none", 1),
        ("net", 2, False, "unit", 2),
    ]
    assert all(NESTED.wrong(configuration) == [] for configuration in seen)


def test_the_last_parameter_changes_fastest() -> None:
    space = SearchSpace((Int("a", 0, 1), Int("b", 0, 1)))
    assert [tuple(c.values()) for c in asked(grid(space))] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_it_is_exhausted_at_the_end_and_stays_so() -> None:
    strategy = grid(SearchSpace((Int("n", 1, 2),)))
    assert len(list(asked(strategy))) == 2
    assert [strategy.ask(2), strategy.ask(2)] == [Exhausted(), Exhausted()]


def test_a_job_goes_as_far_as_the_study_lets_it() -> None:
    answer = grid(NESTED).ask(0)
    assert isinstance(answer, Start)
    assert answer.iterations is None


# -- faults of earlier grids -----------------------------------------------------------------


def test_the_grid_of_0_to_0_3_by_0_1_keeps_0_2() -> None:
    assert along(Float("x", 0, 0.3, step=0.1)) == [0.0, 0.1, 0.2, 0.3]


def test_integers_0_to_10_by_3_never_sample_12() -> None:
    assert along(Int("n", 0, 10, step=3)) == [0, 3, 6, 9]


def test_a_stepped_float_reaches_its_maximum() -> None:
    assert along(Float("x", 0, 1, step=0.05))[-1] == 1.0


@given(st.data())
def test_a_restart_keeps_the_grids_place_and_what_was_adopted(data: st.DataObject) -> None:
    lattice = Lattice(NESTED)
    steps = data.draw(st.lists(st.none() | st.integers(0, lattice.size - 1), max_size=25))
    strategy, history = grid(NESTED), []
    for trial_id, step in enumerate(steps):
        if step is None:
            suggestion = strategy.ask(trial_id)
            if isinstance(suggestion, Exhausted):
                break
        else:
            suggestion = Start(lattice[step])
            strategy.adopt(trial_id, suggestion)
        history.append(Asked(trial_id, suggestion, adopted=step is not None))
        report = Report(trial_id=trial_id, job_id="j", losses=(1.0,), status=Status.COMPLETED)
        history.append(Told(report, Decision.CONTINUE))
    restored = grid(NESTED)
    restored.restore(history, None)
    left = list(asked(strategy))
    assert list(asked(restored)) == left
    visited = [event.suggestion.configuration for event in history if isinstance(event, Asked)]
    assert {lattice.index(c) for c in [*visited, *left]} == set(range(lattice.size))


# -- points that a user enqueued -------------------------------------------------------------


def test_an_adopted_point_of_the_grid_is_not_run_again() -> None:
    strategy = grid(SearchSpace((Int("n", 0, 4),)))
    strategy.adopt(0, Start(Configuration(n=0)))
    strategy.adopt(1, Start(Configuration(n=2)))
    strategy.adopt(2, Start(Configuration(n=2)))
    assert [configuration["n"] for configuration in asked(strategy, 3)] == [1, 3, 4]


def test_an_adopted_point_off_the_grid_changes_nothing() -> None:
    strategy = grid(SearchSpace((Float("x", 0, 1),)), points=3)
    strategy.adopt(0, Start(Configuration(x=0.25)))
    assert [configuration["x"] for configuration in asked(strategy, 1)] == [0.0, 0.5, 1.0]


def test_a_stored_suggestion_that_is_not_on_the_grid_is_an_error() -> None:
    with pytest.raises(StrategyError, match="trial 4, is stored as a point that this grid"):
        grid(NESTED).restore([Asked(4, Start(Configuration(model="linear")))], None)


# -- size ------------------------------------------------------------------------------------

HUGE = SearchSpace(tuple(Int(f"n{place}", 1, 1000) for place in range(4)))


def test_a_grid_of_10_to_the_12_resumes_far_inside() -> None:
    lattice, strategy = Lattice(HUGE), grid(HUGE)
    place = 987_654_321_012
    strategy.restore([Asked(7, Start(lattice[place]))], None)
    assert strategy.ask(8) == Start(lattice[place + 1])


def test_memory_does_not_grow_with_the_trials() -> None:
    strategy = grid(HUGE)
    suggestions = asked(strategy)
    for _ in range(100):
        next(suggestions)
    tracemalloc.start()
    for _ in range(5000):
        next(suggestions)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 10_000


def test_nothing_is_saved_since_the_history_is_enough() -> None:
    strategy = grid(NESTED)
    strategy.ask(0)
    assert strategy.save_state() is None


# -- options ---------------------------------------------------------------------------------


def test_one_number_of_points_counts_for_every_float_without_a_step() -> None:
    space = SearchSpace(
        (Float("x", 0, 1), Float("y", 1, 100, log=True), Float("z", 0, 1, step=0.5))
    )
    seen = list(asked(grid(space, points=3)))
    assert {c["x"] for c in seen} == {0.0, 0.5, 1.0}
    assert {c["y"] for c in seen} == {1.0, 10.0, 100.0}
    assert len(seen) == 27


def test_points_can_be_given_by_name() -> None:
    space = SearchSpace((Float("x", 0, 1), Float("y", 0, 1)))
    assert len(list(asked(grid(space, {"x": 2, "y": 5})))) == 10


def faults(space: SearchSpace, points: int | dict[str, int] | None) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        grid(space, points)
    return {fault.path: fault.message for fault in caught.value.faults}


LR = SearchSpace((Float("lr", 0, 1), Float("momentum", 0, 1), Int("depth", 1, 3)))


def test_a_float_without_step_or_points_is_named_with_the_remedy() -> None:
    found = faults(LR, None)
    assert list(found) == ["parameters.lr", "parameters.momentum"]
    assert "give it a step" in found["parameters.lr"]
    assert "points=5" in found["parameters.lr"]


def test_points_for_some_names_only_name_the_others() -> None:
    assert list(faults(LR, {"lr": 3})) == ["parameters.momentum"]


def test_points_for_an_unknown_name_name_the_nearest() -> None:
    found = faults(LR, {"lr": 3, "momentun": 2})
    assert found["points.momentun"] == (
        "there is no parameter 'momentun'; did you mean 'momentum'?"
    )


def test_points_for_a_parameter_that_takes_none_are_an_error() -> None:
    found = faults(LR, {"lr": 3, "momentum": 2, "depth": 2})
    assert found == {"points.depth": "depth takes no points: only a float without a step does"}


@pytest.mark.parametrize("number", [0, -1])
def test_fewer_points_than_one_are_an_error(number: int) -> None:
    assert faults(LR, number) == {"points": f"must be 1 or more, got {number}"}
    assert faults(LR, {"lr": number, "momentum": 1}) == {
        "points.lr": f"must be 1 or more, got {number}"
    }


def test_points_that_are_all_forbidden_are_an_error() -> None:
    space = SearchSpace((Float("x", 0, 1),), ({"x": (0.0, 0.5, 1.0)},))
    assert faults(space, 3) == {"forbidden": "no configuration is left; allow at least one"}


# -- the plugin ------------------------------------------------------------------------------


def test_it_announces_what_it_can_do() -> None:
    assert spec().name == "grid"
    assert spec().capabilities == {
        Capability.CONDITIONAL,
        Capability.FORBIDDEN,
        Capability.INTEGERS,
        Capability.CATEGORICALS,
        Capability.MULTI_OBJECTIVE,
        Capability.CONSTRAINTS,
        Capability.RANGES,
        Capability.LINEAR,
        Capability.STRUCTURED,
    }
