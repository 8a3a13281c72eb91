"""The methods that every kind of axis shares."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hpo_core.model.values import same_values
from hpo_core.plugin import (
    Categorical,
    Constant,
    Float,
    Int,
    Parameter,
    ParameterSet,
    SearchSpace,
    same_value,
)

NETWORKS = ParameterSet("net", ({"depth": 1, "width": 2.0}, {"depth": 2, "width": 1.0}))
FINITE: tuple[Parameter, ...] = (
    Int("n", -3, 12),
    Int("n", -3, 12, step=4),
    Int("n", 1, 64, log=True),
    Int("n", 5, 5),
    Float("x", 0.0, 1.0, step=0.1),
    Float("x", 0.5, 0.5),
    Categorical("c", (1, 1.0, True, "1", None)),
    Constant("k", "fixed"),
    NETWORKS,
)
AXES: tuple[Parameter, ...] = (
    *FINITE,
    Float("x", 0.0, 1.0),
    Float("x", -3.0, 1e6),
    Float("x", -1e300, 1e300),
    Float("x", 1e-14, 3e-14),
    Float("x", 1e-5, 0.1, log=True),
    Float("x", 0.5, 2.0, log=True),
    Float("x", 1e-300, 1e300, log=True),
    Float("x", 1.0, math.nextafter(1.0, 2.0), log=True),
    Int("n", 1, 2**63 - 1, log=True),
    Int("n", -(2**62), 2**62),
    Int("n", 0, 2**53 + 5),
)
UNIT = st.floats(0.0, 1.0)
axes = pytest.mark.parametrize("axis", AXES, ids=repr)
finite = pytest.mark.parametrize("axis", FINITE, ids=repr)


@axes
@settings(max_examples=25)
@given(u=UNIT)
@example(u=0.0)
@example(u=1.0)
def test_a_coordinate_gives_values_of_the_axis_by_name(axis: Parameter, u: float) -> None:
    values = axis.values_from(u)
    assert tuple(values) == axis.names
    assert axis.wrong_in(values) == []


@axes
@settings(max_examples=25)
@given(u=UNIT)
@example(u=0.0)
@example(u=1.0)
def test_the_coordinate_of_drawn_values_gives_exactly_these_again(
    axis: Parameter, u: float
) -> None:
    values = axis.values_from(u)
    unit = axis.unit_of(values)
    assert 0.0 <= unit <= 1.0
    assert same_values(axis.values_from(unit), values)


@given(low=st.floats(-1e9, 1e9), width=st.floats(1e-6, 1e9), u=UNIT)
def test_it_does_so_for_any_linear_range(low: float, width: float, u: float) -> None:
    axis = Float("x", low, low + width)
    assert axis.values_from(axis.unit_of(axis.values_from(u))) == axis.values_from(u)


@given(low=st.floats(1e-12, 1e6), factor=st.floats(1.01, 1e9), u=UNIT)
def test_it_does_so_for_any_log_range(low: float, factor: float, u: float) -> None:
    axis = Float("x", low, low * factor, log=True)
    assert axis.values_from(axis.unit_of(axis.values_from(u))) == axis.values_from(u)


@pytest.mark.parametrize("log", [False, True])
@given(value=st.floats(1e-4, 1e4))
def test_a_value_that_no_coordinate_has_gets_the_nearest_one(log: bool, value: float) -> None:
    axis = Float("x", 1e-4, 1e4, log=log)
    (near,) = axis.values_from(axis.unit_of({"x": value})).values()
    assert math.isclose(near, value, rel_tol=1e-13, abs_tol=2e-12 if not log else 0.0)  # type: ignore[arg-type]  # a float


@finite
def test_values_index_and_coordinate_of_every_point_agree(axis: Parameter) -> None:
    size = axis.size
    assert size is not None
    for index in range(size):
        values = axis.values_at(index)
        assert axis.index_of(values) == index
        assert same_values(axis.values_from(axis.unit_of(values)), values)
    assert axis.values_from(0.0) == axis.values_at(0)
    assert axis.values_from(1.0) == axis.values_at(size - 1)


@axes
def test_axis_starts_with_its_own_values(axis: Parameter) -> None:
    assert tuple(axis.start_values) == axis.names
    assert axis.wrong_in(axis.start_values) == []


def test_a_choice_stands_in_the_middle_of_its_share() -> None:
    assert Categorical("c", ("a", "b")).unit_of({"c": "b"}) == 0.75
    assert NETWORKS.unit_of({"depth": 1, "width": 2.0}) == 0.25


def test_the_scale_of_the_unit_interval_is_the_axiss_own() -> None:
    assert Float("x", -1.0, 1.0).unit_of({"x": 0.0}) == 0.5
    assert Float("x", 1e-4, 1e4, log=True).unit_of({"x": 1.0}) == pytest.approx(0.5)


@axes
def test_values_of_another_kind_have_no_index_and_no_coordinate(axis: Parameter) -> None:
    values: dict[str, Any] = dict.fromkeys(axis.names, "no such value")
    assert axis.index_of(values) is None
    with pytest.raises(ValueError, match=axis.names[0]):
        axis.unit_of(values)


@axes
def test_values_that_are_missing_are_a_fault_of_each_name(axis: Parameter) -> None:
    assert [fault.path for fault in axis.wrong_in({})] == list(axis.names)
    for ask in (axis.index_of, axis.unit_of):
        with pytest.raises(KeyError):
            ask({})


def test_a_continuous_axis_has_no_points() -> None:
    axis = Float("x", 0.0, 1.0)
    assert axis.size is None
    assert axis.index_of({"x": 0.5}) is None
    with pytest.raises(ValueError, match="continuous"):
        axis.values_at(0)


@axes
def test_only_a_float_takes_a_whole_number_as_its_own(axis: Parameter) -> None:
    taken = axis.coerce(1)
    assert type(taken) is (float if isinstance(axis, Float) else int)
    assert taken == 1


def test_a_member_of_a_set_is_a_choice_and_any_other_axis_is_its_own_member() -> None:
    assert NETWORKS.member("width") == Categorical("width", (2.0, 1.0))
    number = Int("n", 0, 1)
    assert number.member("n") is number


CONDITIONAL = SearchSpace(
    (
        Categorical("kind", ("a", "b")),
        Float("x", 0.0, 1.0, when={"kind": "a"}),
        ParameterSet("s", ({"p": 1, "q": 2}, {"p": 3, "q": 4}), when={"kind": "b"}),
    )
)


def test_a_draw_takes_a_number_for_each_active_parameter_parents_first() -> None:
    numbers = iter((0.9, 0.6))
    assert CONDITIONAL.draw(numbers.__next__) == {"kind": "b", "p": 3, "q": 4}
    assert list(numbers) == []


@pytest.mark.parametrize("form", [lambda axis: axis.start_values, lambda axis: _bare(axis)])
def test_a_space_is_built_of_values_by_name_or_of_single_values(
    form: Callable[[Parameter], Any],
) -> None:
    assert CONDITIONAL.build(form) == {"kind": "a", "x": 0.5}


def _bare(axis: Parameter) -> Any:
    return axis.at_all(0) if isinstance(axis, ParameterSet) else axis.start


def test_draws_of_a_space_are_configurations_of_it() -> None:
    stream = random.Random(7)
    for _ in range(50):
        assert CONDITIONAL.wrong(CONDITIONAL.draw(stream.random)) == []


FOUR_ONES = (1, 1.0, True, "1")


@pytest.mark.parametrize("one", FOUR_ONES, ids=repr)
@pytest.mark.parametrize("other", FOUR_ONES, ids=repr)
def test_a_value_is_the_same_as_itself_alone(one: Any, other: Any) -> None:
    assert same_value(one, other) is (one is other)
