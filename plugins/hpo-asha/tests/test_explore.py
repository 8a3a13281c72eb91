"""Exploring changes each kind of parameter in its own way, within the space."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hpo_asha.explore import Explorer, changes
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.plugin import (
    Categorical,
    Configuration,
    Constant,
    Float,
    Int,
    Parameter,
    ParameterSet,
    SearchSpace,
    Value,
)

FACTORS = (1.2, 0.8)


def outcomes(axis: Parameter, values: dict[str, Value], resample: float = 0.0) -> set[str]:
    """Return what a parameter may become, written down: 1, 1.0 and True are three."""
    explorer = Explorer(SearchSpace((axis,)), [axis.name], resample, FACTORS)
    found = (explorer.change(Configuration(values), random.Random(seed)) for seed in range(60))
    return {written(*each.values()) for each in found}


def written(*values: Value) -> str:
    return " ".join(f"{v:.6g}." if isinstance(v, float) else repr(v) for v in values)


@pytest.mark.parametrize(
    ("axis", "value", "expected"),
    [
        (Float("a", 0.0, 10.0), 5.0, {4.0, 6.0}),
        (Float("a", 0.0, 10.0), 9.0, {7.2, 10.0}),  # not above the range
        (Float("a", 1e-4, 1.0, log=True), 0.01, {0.008, 0.012}),
        (Float("a", 0.0, 1.0, step=0.1), 0.5, {0.4, 0.6}),
        (Float("a", 0.0, 1.0, step=0.5), 0.5, {0.0, 1.0}),  # by one step at least
        (Float("a", 0.0, 1.0, step=0.5), 1.0, {0.5, 1.0}),
        (Int("a", 0, 100), 50, {40, 60}),
        (Int("a", 1, 8), 2, {1, 3}),
        (Int("a", 1, 8), 1, {1, 2}),
        (Int("a", 0, 8), 0, {0, 1}),
        (Int("a", 4, 64, step=4), 32, {24, 40}),  # 25.6 and 38.4, on the steps
        (Int("a", 16, 256, log=True), 100, {80, 120}),
        (Categorical("a", ("x", "y", "z")), "y", {"x", "z"}),
        (Categorical("a", ("x", "y", "z")), "z", {"y", "z"}),
        (Categorical("a", (1, 1.0, True)), 1.0, [1, True]),
        (Constant("a", 3), 3, {3}),
    ],
)
def test_a_parameter_is_perturbed_in_its_own_manner(
    axis: Parameter, value: Value, expected: Iterable[Value]
) -> None:
    assert outcomes(axis, {"a": value}) == {written(each) for each in expected}


def test_a_set_moves_to_a_neighbouring_combination() -> None:
    pairs = ParameterSet("set", ({"x": 1, "y": "p"}, {"x": 2, "y": "q"}, {"x": 3, "y": "r"}))
    assert outcomes(pairs, {"x": 2, "y": "q"}) == {"1 'p'", "3 'r'"}


def test_resampling_draws_from_the_whole_range() -> None:
    assert outcomes(Int("a", 1, 8), {"a": 2}, resample=1.0) == set("12345678")


def test_only_the_parameters_that_are_named_change() -> None:
    space = SearchSpace((Float("a", 0.0, 1.0), Float("b", 0.0, 1.0)))
    explorer = Explorer(space, ["a"], 0.5, FACTORS)
    changed = explorer.change(Configuration(a=0.5, b=0.5), random.Random(1))
    assert changed["b"] == 0.5
    assert changed["a"] != 0.5


def test_a_parameter_that_becomes_active_is_drawn_and_one_that_does_not_is_left_out() -> None:
    space = SearchSpace(
        (
            Categorical("model", ("linear", "tree")),
            Int("depth", 1, 8, when={"model": "tree"}),
            Float("l2", 0.0, 1.0, when={"model": "linear"}),
        )
    )
    explorer = Explorer(space, ["model"], 0.0, (1.2,))  # ever upwards
    before = Configuration(model="linear", l2=0.5)
    after = {explorer.change(before, random.Random(seed)) for seed in range(50)}
    assert {each["depth"] for each in after} == set(range(1, 9))
    assert all("l2" not in each and not space.wrong(each) for each in after)
    (first, *_) = sorted(after, key=lambda each: each["depth"])
    assert changes(before, first) == {
        "model": {"from": "linear", "to": "tree"},
        "l2": {"from": 0.5},
        "depth": {"to": 1},
    }


def test_what_is_forbidden_is_changed_in_another_way() -> None:
    space = SearchSpace((Int("a", 0, 2), Int("b", 0, 2)), ({"a": 2, "b": 2}, {"a": 0}))
    explorer = Explorer(space, ["a", "b"], 0.0, FACTORS)
    found = {explorer.change(Configuration(a=1, b=1), random.Random(seed)) for seed in range(40)}
    assert found == {Configuration(a=2, b=0)}


def test_where_every_change_is_forbidden_the_configuration_is_left_as_it_is() -> None:
    space = SearchSpace((Int("a", 0, 2),), ({"a": (0, 2)},))
    before = Configuration(a=1)
    assert Explorer(space, ["a"], 0.5, FACTORS).change(before, random.Random(1)) == before


def test_changes_tell_types_apart() -> None:
    assert changes(Configuration(a=1), Configuration(a=True)) == {"a": {"from": 1, "to": True}}
    assert changes(Configuration(a=1), Configuration(a=1)) == {}


KINDS: list[Any] = [
    Float("a", -3.0, 5.0),
    Float("a", 1e-5, 10.0, log=True),
    Float("a", 0.0, 0.3, step=0.1),
    Float("a", 0.5, 0.5),
    Int("a", -5, 5),
    Int("a", 1, 1000, log=True),
    Int("a", 0, 10, step=3),
    Categorical("a", ("red", 1, 1.0, True, None, "1")),
    ParameterSet("a", ({"p": 1, "q": None}, {"p": 2, "q": "x"})),
]


@given(
    axis=st.sampled_from(KINDS),
    u=st.floats(0, 1, exclude_max=True),
    factor=st.floats(0.01, 100),
    resample=st.floats(0, 1),
    seed=st.integers(0, 10**6),
)
def test_whatever_changes_stays_in_the_space(
    axis: Any, u: float, factor: float, resample: float, seed: int
) -> None:
    space = SearchSpace((axis, Constant("c", 1)))
    explorer = Explorer(space, ["a", "c"], resample, (factor, 1 / factor))

    configuration = space.draw(lambda: u)
    for step in range(5):
        configuration = explorer.change(configuration, random.Random(seed + step))
        assert space.wrong(configuration) == []
