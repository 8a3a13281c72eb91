"""Objectives, losses, and the Pareto front."""

import math
from random import Random
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import InvalidInput, Objective
from hpo_core.model.objective import complete, dominates, updated
from hpo_core.plugin import pareto_front

LAST = Objective("loss", "minimize")
BEST = Objective("loss", "minimize", "best")
numbers = st.floats(-1e6, 1e6)


def after(objective: Objective, *values: float) -> float | None:
    """Return the loss that counts after these reports."""
    losses: tuple[float | None, ...] = (None,)
    for value in values:
        losses = updated((objective,), losses, {objective.metric: value})
    return losses[0]


# -- direction ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("min", "minimize"), ("max", "maximize"), ("minimise", "minimize"), ("MAXIMIZE", "maximize")],
)
def test_fault_a_typing_error_in_the_direction_silently_maximised(typed: Any, meant: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Objective("loss", typed)
    assert str(caught.value) == (
        f"direction: expected 'minimize' or 'maximize', got {typed!r}; did you mean {meant!r}?"
    )


@pytest.mark.parametrize("direction", ["", "up", None, 1, True])
def test_invalid_direction_is_an_error(direction: Any) -> None:
    with pytest.raises(InvalidInput, match="direction: expected 'minimize' or 'maximize', got"):
        Objective("loss", direction)


def test_there_is_no_default_direction() -> None:
    with pytest.raises(TypeError, match="direction"):
        Objective("loss")  # type: ignore[call-arg]  # what is tested


def test_a_metric_has_a_name_and_a_value_is_last_or_best() -> None:
    with pytest.raises(InvalidInput, match="metric: name the metric that jobs report"):
        Objective("", "minimize")
    with pytest.raises(InvalidInput, match="value: expected 'last' or 'best', got 'bets'; did you"):
        Objective("loss", "minimize", "bets")  # type: ignore[arg-type]  # what is tested


@given(numbers)
def test_a_loss_is_lower_where_the_metric_is_better_and_turns_back(value: float) -> None:
    up = Objective("accuracy", "maximize")
    assert up.loss(value + 1) < up.loss(value)
    assert LAST.loss(value) < LAST.loss(value + 1)
    assert up.loss(up.loss(value)) == LAST.loss(LAST.loss(value)) == value


def test_an_objective_comes_back_from_json_the_same() -> None:
    up = Objective("validation/accuracy", "maximize", "best")
    assert msgspec.json.decode(msgspec.json.encode(up), type=Objective) == up


# -- which reported value counts ------------------------------------------------------------


@given(st.lists(numbers, min_size=1))
def test_last_counts_the_last_value_and_best_the_best(values: list[float]) -> None:
    assert after(LAST, *values) == values[-1]
    assert after(BEST, *values) == min(values)
    assert after(Objective("loss", "maximize"), *values) == -values[-1]
    assert after(Objective("loss", "maximize", "best"), *values) == -max(values)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_counts_as_failed(broken: float) -> None:
    for objective in (LAST, BEST):
        assert complete([after(objective, broken)]) is None
        assert after(objective, broken, 2.0) == 2.0
    assert complete([after(LAST, 1.0, broken)]) is None
    assert after(BEST, 1.0, broken) == 1.0
    assert after(BEST, 1.0, broken, 0.5) == 0.5


def test_a_metric_that_is_not_in_a_report_changes_nothing() -> None:
    both = (LAST, Objective("accuracy", "maximize"))
    assert updated(both, (None, None), {"other": 1.0}) == (None, None)
    assert updated(both, (3.0, None), {"accuracy": 0.5}) == (3.0, -0.5)


def test_losses_are_complete_when_each_objective_has_a_finite_one() -> None:
    assert complete((1.0, 2.0)) == (1.0, 2.0)
    assert complete((1.0, None)) is None
    assert complete((1.0, math.nan)) is None
    assert complete(()) == ()


# -- the Pareto front -----------------------------------------------------------------------

Points: TypeAlias = list[tuple[float, ...]]
coordinates = st.integers(0, 4).map(float)  # few of them, so that ties and duplicates are common


def fronts(dimensions: int) -> st.SearchStrategy[Points]:
    return st.lists(st.tuples(*[coordinates] * dimensions), max_size=30)


def test_fault_a_dominated_point_ranked_first_in_the_pareto_front() -> None:
    points = [(1.0, 9.0), (1.0, 2.0), (2.0, 2.0), (2.0, 1.0), (0.5, 9.5)]
    assert pareto_front(points) == [4, 1, 3]


@given(fronts(1) | fronts(2) | fronts(3) | fronts(4))
def test_the_front_is_exactly_what_nothing_dominates(points: Points) -> None:
    by_hand = [
        index
        for index, point in enumerate(points)
        if not any(
            all(a <= b for a, b in zip(other, point, strict=True))
            and any(a < b for a, b in zip(other, point, strict=True))
            for other in points
        )
    ]
    front = pareto_front(points)
    assert sorted(front) == by_hand
    assert [points[index] for index in front] == sorted(points[index] for index in front)


@given(fronts(2) | fronts(3), st.randoms(use_true_random=False))
def test_the_front_does_not_depend_on_the_order_of_the_points(
    points: Points, random: Random
) -> None:
    shuffled = random.sample(points, len(points))
    assert [points[i] for i in pareto_front(points)] == [
        shuffled[i] for i in pareto_front(shuffled)
    ]


def test_equal_points_are_all_kept_and_of_one_loss_all_the_best() -> None:
    assert pareto_front([(1.0, 2.0), (1.0, 2.0), (2.0, 2.0)]) == [0, 1]
    assert pareto_front([(2.0,), (1.0,), (1.0,)]) == [1, 2]
    assert pareto_front([]) == []


def test_a_point_dominates_where_it_is_nowhere_worse_and_somewhere_better() -> None:
    assert dominates((1.0, 1.0), (1.0, 2.0))
    assert not dominates((1.0, 1.0), (1.0, 1.0))
    assert not dominates((0.0, 2.0), (1.0, 1.0))
    with pytest.raises(ValueError, match="zip"):
        dominates((1.0,), (1.0, 2.0))
