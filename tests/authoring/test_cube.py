"""A search space as points of the unit cube, and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.plugin import (
    Categorical,
    Constant,
    Float,
    Int,
    ParameterSet,
    SearchSpace,
    UnitCube,
)

SPACE = SearchSpace(
    (
        Float("rate", 1e-4, 1.0, log=True, when={"kind": "a"}),
        Categorical("kind", ("a", "b")),
        Constant("fixed", 3),
        Int("only", 4, 4),
        ParameterSet("s", ({"p": 1, "q": 2.5}, {"p": 2, "q": 0.5}), when={"kind": "b"}),
        Int("n", 1, 10),
    )
)
CUBE = UnitCube(SPACE)
coordinates = st.floats(0.0, 1.0)
points = st.lists(coordinates, min_size=4, max_size=4)


def test_each_parameter_of_several_values_has_a_coordinate_parents_first() -> None:
    assert [axis.name for axis in CUBE.axes] == ["kind", "rate", "s", "n"]
    assert CUBE.size == 4


@given(points)
def test_each_point_is_a_configuration_of_the_space(point: list[float]) -> None:
    assert SPACE.wrong(CUBE.configuration(point)) == []


@given(points)
def test_the_point_of_a_configuration_is_a_point_of_it_again(point: list[float]) -> None:
    configuration = CUBE.configuration(point)
    assert CUBE.configuration(CUBE.point(configuration)) == configuration


def test_what_is_not_active_is_in_the_middle_and_has_no_effect() -> None:
    configuration = CUBE.configuration([0.9, 0.1, 0.9, 0.0])
    assert configuration == {"kind": "b", "fixed": 3, "only": 4, "p": 2, "q": 0.5, "n": 1}
    assert CUBE.point(configuration) == [0.75, 0.5, 0.75, 0.05]
    assert CUBE.configuration([0.9, 0.7, 0.9, 0.0]) == configuration


def test_coordinates_beyond_the_cube_count_as_its_border() -> None:
    assert CUBE.configuration([-3.0, 1.5, 0.0, math.inf]) == CUBE.configuration(
        [0.0, 1.0, 0.0, 1.0]
    )


def test_coordinates_without_an_effect_are_added_to_a_small_space() -> None:
    cube = UnitCube(SearchSpace((Float("x", 0.0, 1.0),)), least=2)
    assert cube.size == 2
    assert cube.configuration([0.25, 0.9]) == {"x": 0.25}
    assert cube.point({"x": 0.25}) == [0.25, 0.5]


@pytest.mark.parametrize(
    ("point", "message"),
    [([0.5], "4 coordinates, got 1"), ([0.5, math.nan, 0.5, 0.5], "a number from 0 to 1")],
)
def test_invalid_point_is_an_error(point: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CUBE.configuration(point)


def test_choices_without_order_are_known() -> None:
    assert CUBE.choices == (2, None, 2, None)
    assert UnitCube(SearchSpace((Categorical("kind", ("a", "b", "c")),)), least=2).choices == (
        3,
        None,
    )


@given(points)
def test_a_point_of_numbered_choices_has_the_same_configuration(point: list[float]) -> None:
    numbered = CUBE.numbered(point)
    assert [numbered[0] in (0, 1), numbered[2] in (0, 1)] == [True, True]
    assert CUBE.configuration(CUBE.point_of(numbered)) == CUBE.configuration(point)
    assert CUBE.numbered(CUBE.point_of(numbered)) == numbered
