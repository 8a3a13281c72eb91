"""A lattice numbers exactly the valid configurations of a finite space, whatever its size."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from hpo_core.plugin import (
    Categorical,
    Configuration,
    Constant,
    Float,
    Int,
    InvalidInput,
    Lattice,
    Parameter,
    ParameterSet,
    SearchSpace,
)

# -- small spaces of every kind, and their configurations by brute force --------------------

CHOICES = ["a", "b", 1, 1.0, True, None]


@st.composite
def small_spaces(draw: st.DrawFn) -> SearchSpace:
    """Up to five parameters in any order, with nested conditions, sets and forbidden ones."""
    values: dict[str, list] = {}  # what each name can be
    parameters: list[Parameter] = []

    def some_of(name: str) -> object:
        some = draw(st.lists(st.sampled_from(values[name]), min_size=1, max_size=2))
        return some[0] if len(some) == 1 else tuple(some)

    for place in range(draw(st.integers(1, 5))):
        name = f"p{place}"
        parents = (
            draw(st.lists(st.sampled_from(sorted(values)), max_size=2, unique=True))
            if values
            else []
        )
        when = {parent: some_of(parent) for parent in parents}
        kind = draw(st.sampled_from(["float", "points", "int", "categorical", "constant", "set"]))
        if kind == "set":
            pairs = draw(
                st.lists(
                    st.tuples(st.sampled_from(CHOICES), st.integers(0, 1)),
                    min_size=1,
                    max_size=3,
                    unique_by=repr,
                )
            )
            one, other = f"{name}.one", f"{name}.other"
            axis = ParameterSet(name, tuple({one: a, other: b} for a, b in pairs), when=when)
            values[one], values[other] = [a for a, _ in pairs], [b for _, b in pairs]
            parameters.append(axis)
            continue
        if kind == "float":
            axis = Float(name, 0, 0.1 * draw(st.integers(0, 3)), step=0.1, when=when)
        elif kind == "points":
            axis = Float(name, 1, 4, log=draw(st.booleans()), when=when)
        elif kind == "int":
            axis = Int(
                name, -1, draw(st.integers(-1, 2)), step=draw(st.sampled_from([None, 2])), when=when
            )
        elif kind == "categorical":
            choices = draw(
                st.lists(st.sampled_from(CHOICES), min_size=1, max_size=4, unique_by=repr)
            )
            axis = Categorical(name, tuple(choices), when=when)
        else:
            axis = Constant(name, draw(st.sampled_from(CHOICES)), when=when)
        values[name] = [axis.at(i) for i in range(axis.size)] if axis.size else [1.0, 2.0, 3.0, 4.0]
        parameters.append(axis)
    clauses = draw(
        st.lists(
            st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3, unique=True),
            max_size=3,
        )
    )
    forbidden = tuple({name: some_of(name) for name in clause} for clause in clauses)
    try:
        return SearchSpace(tuple(draw(st.permutations(parameters))), forbidden)
    except InvalidInput:  # all of it is forbidden
        reject()


POINTS = 3


def axis_points(axis: Parameter) -> list:
    if axis.size is None:
        return [{axis.name: value} for value in (1.0, 2.0 if axis.log else 2.5, 4.0)]
    return [axis.values_at(index) for index in range(axis.size)]


def typed(configuration: Configuration) -> frozenset:
    return frozenset((name, type(value), value) for name, value in configuration.items())


def by_brute_force(space: SearchSpace) -> set[frozenset]:
    """Every choice for every axis, then only what is active, then without the forbidden ones."""
    found = set()
    for chosen in itertools.product(*map(axis_points, space.parameters)):
        choice = dict(zip((axis.name for axis in space.parameters), chosen, strict=True))
        configuration = space.build(lambda axis, choice=choice: choice[axis.name])
        if not space.is_forbidden(configuration):
            found.add(typed(configuration))
    return found


@settings(max_examples=400, deadline=None)
@given(small_spaces())
def test_it_numbers_exactly_the_valid_configurations_each_once(space: SearchSpace) -> None:
    valid = by_brute_force(space)
    if not valid:
        with pytest.raises(InvalidInput, match="no configuration is left"):
            Lattice(space, POINTS)
        return
    lattice = Lattice(space, POINTS)
    configurations = [lattice[index] for index in range(lattice.size)]
    assert lattice.size == len(valid)
    assert {typed(configuration) for configuration in configurations} == valid
    for index, configuration in enumerate(configurations):
        assert lattice.index(configuration) == index
        assert space.wrong(configuration) == []
        assert list(configuration) == [name for name in space.names if name in configuration]


# -- exact values (faults of earlier grids) -------------------------------------------------


def along(axis: Parameter, points: int | None = None) -> list:
    lattice = Lattice(SearchSpace((axis,)), points)
    return [lattice[index][axis.name] for index in range(lattice.size)]


def test_a_grid_of_0_to_0_3_by_0_1_does_not_lose_0_2() -> None:
    assert along(Float("x", 0, 0.3, step=0.1)) == [0.0, 0.1, 0.2, 0.3]


def test_integers_from_0_to_10_by_3_are_0_3_6_9_and_never_12() -> None:
    assert along(Int("n", 0, 10, step=3)) == [0, 3, 6, 9]


@given(st.integers(-5, 5), st.integers(0, 40), st.integers(1, 9))
def test_integers_never_exceed_their_maximum(low: int, reach: int, step: int) -> None:
    expected = list(range(low, low + reach + 1, step))
    assert along(Int("n", low, low + reach, step=step)) == expected


@given(st.integers(-50, 50), st.integers(1, 60), st.sampled_from(["0.1", "0.05", "0.3", "0.001"]))
def test_a_stepped_float_reaches_its_maximum_in_decimal_numbers(
    first: int, steps: int, step: str
) -> None:
    numbers = [float((first + place) * Decimal(step)) for place in range(steps + 1)]
    assert along(Float("x", numbers[0], numbers[-1], step=float(step))) == numbers


def test_points_of_a_log_float_are_evenly_spaced_in_decades() -> None:
    assert along(Float("lr", 1e-5, 1e-1, log=True), 5) == [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]


def test_points_of_a_linear_float_hold_both_ends() -> None:
    assert along(Float("x", 0, 0.3), 4) == [0.0, 0.1, 0.2, 0.3]


def test_a_single_point_is_the_default_or_else_the_middle() -> None:
    assert along(Float("x", 0, 1), 1) == [0.5]
    assert along(Float("x", 0, 1, default=0.9), 1) == [0.9]


@given(st.floats(1e-8, 1e3), st.floats(1.01, 1e9), st.booleans(), st.integers(1, 50))
def test_points_stay_in_the_range_ascend_and_are_found_again(
    low: float, ratio: float, log: bool, points: int
) -> None:
    space = SearchSpace((Float("x", low, low * ratio, log=log),))
    lattice = Lattice(space, points)
    values = [lattice[index]["x"] for index in range(points)]
    assert values == sorted(set(values))
    assert all(low <= value <= low * ratio for value in values)
    assert [lattice.index({"x": value}) for value in values] == list(range(points))


def test_points_may_differ_by_name() -> None:
    space = SearchSpace((Float("x", 0, 1), Float("y", 0, 1)))
    lattice = Lattice(space, {"x": 2, "y": 3})
    assert [tuple(lattice[index].values()) for index in range(lattice.size)] == [
        (0.0, 0.0),
        (0.0, 0.5),
        (0.0, 1.0),
        (1.0, 0.0),
        (1.0, 0.5),
        (1.0, 1.0),
    ]


def test_a_float_without_step_or_points_is_an_error_with_its_path_each() -> None:
    space = SearchSpace((Float("lr", 0, 1), Int("n", 0, 1), Float("momentum", 0, 1)))
    with pytest.raises(InvalidInput) as caught:
        Lattice(space)
    assert [fault.path for fault in caught.value.faults] == [
        "parameters.lr",
        "parameters.momentum",
    ]


def test_points_that_are_all_forbidden_are_an_error() -> None:
    space = SearchSpace((Float("x", 0, 1),), ({"x": (0.0, 0.5, 1.0)},))
    with pytest.raises(InvalidInput, match="no configuration is left"):
        Lattice(space, 3)
    assert Lattice(space, 5).size == 2


# -- looking up ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"a": 1},  # lacks what is active
        {"a": 2, "b": "x"},  # holds what is not
        {"a": 1, "b": "y"},  # forbidden
        {"a": 1, "b": "z"},  # no such choice
        {"a": 9},  # out of range
        {"a": True, "b": "x"},  # another type
        {"a": 1.0, "b": "x"},  # another type
        {"a": 1, "b": "x", "c": 0},  # no such name
    ],
)
def test_configuration_outside_the_lattice_has_no_index(values: dict) -> None:
    space = SearchSpace(
        (Int("a", 1, 2), Categorical("b", ("x", "y"), when={"a": 1})), ({"a": 1, "b": "y"},)
    )
    assert Lattice(space).index(values) is None


def test_a_value_between_the_points_has_no_number() -> None:
    lattice = Lattice(SearchSpace((Float("x", 0, 1),)), 3)
    assert lattice.index({"x": 0.5}) == 1
    assert lattice.index({"x": math.nextafter(0.5, 1)}) is None


@pytest.mark.parametrize("index", [-1, 3])
def test_a_number_outside_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match="not between 0 and 2"):
        Lattice(SearchSpace((Int("n", 1, 3),)))[index]


# -- size ------------------------------------------------------------------------------------


@given(st.integers(0, 10**12 - 1))
def test_a_lattice_of_10_to_the_12_is_found_its_way_in_without_a_list(index: int) -> None:
    space = SearchSpace(tuple(Int(f"n{place}", 1, 1000) for place in range(4)))
    lattice = Lattice(space)
    assert lattice.size == 10**12
    assert lattice.index(lattice[index]) == index


def test_conditions_and_forbidden_combinations_are_counted_exactly_in_a_huge_space() -> None:
    space = SearchSpace(
        (
            Int("n", 1, 10**6),
            Int("deep", 1, 10**6, when={"n": (1, 2)}),
            Int("m", 1, 10**6),
        ),
        ({"n": 1, "m": (5, 6)}, {"deep": 3}),
    )
    # n=1: deep without 3, m without 5 and 6; n=2: deep without 3; the others: no deep
    expected = (10**6 - 1) * (10**6 - 2) + (10**6 - 1) * 10**6 + (10**6 - 2) * 10**6
    lattice = Lattice(space)
    assert lattice.size == expected
    for index in (0, 10**12 - 1, 10**12, 2 * 10**12, expected - 1):
        assert lattice.index(lattice[index]) == index


def test_20_000_forbidden_values_are_told_apart_from_the_others() -> None:
    space = SearchSpace((Int("n", 1, 20_003), Int("m", 1, 2)), ({"n": tuple(range(3, 20_003))},))
    lattice = Lattice(space)
    assert [tuple(lattice[index].values()) for index in range(lattice.size)] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
        (20_003, 1),
        (20_003, 2),
    ]


def test_a_long_chain_of_forbidden_neighbours_is_counted_without_trying_all() -> None:
    length = 40  # 2^40 combinations; without two 1s side by side a Fibonacci number is left
    bits = tuple(Int(f"b{place:02}", 0, 1) for place in range(length))
    pairs = tuple({f"b{place:02}": 1, f"b{place + 1:02}": 1} for place in range(length - 1))
    lattice = Lattice(SearchSpace(bits, pairs))
    assert lattice.size == 267_914_296
    assert lattice.index(lattice[123_456_789]) == 123_456_789


def test_a_lattice_too_large_for_len_still_has_a_size() -> None:
    space = SearchSpace(tuple(Int(f"n{place}", 1, 10**6) for place in range(10)))
    lattice = Lattice(space)
    assert lattice.size == 10**60
    assert lattice.index(lattice[10**60 - 1]) == 10**60 - 1


@pytest.mark.parametrize(
    ("axis", "points", "size"),
    [
        (Float("x", 1.0, 1.0 + 2**-52), 5, 2),
        (Float("x", 1.0, 1.0 + 2**-50), 5, 5),
        (Float("x", 1.0, 1.0 + 2**-51, log=True), 9, None),
        (Float("x", 0.0, 5e-324), 3, 2),
        (Float("x", 0.0, 1.0), 5, 5),
    ],
)
def test_each_point_of_a_narrow_range_is_taken_once(axis, points, size) -> None:
    lattice = Lattice(SearchSpace((axis,)), points)
    found = [lattice[place] for place in range(lattice.size)]
    assert len({each["x"] for each in found}) == lattice.size <= points
    assert size in (lattice.size, None)
    assert [lattice.index(each) for each in found] == list(range(lattice.size))


def test_more_points_than_can_be_told_apart_are_an_error() -> None:
    with pytest.raises(InvalidInput, match="its range is too narrow for 2,000,000 points"):
        Lattice(SearchSpace((Float("x", 1.0, 1.0 + 2**-50),)), 2_000_000)
