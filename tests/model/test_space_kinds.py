"""Conditions on ranges, linear inequalities, and choices that are lists or tables."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hpo_core.model.conditions import Range
from hpo_core.model.errors import InvalidInput
from hpo_core.model.lattice import Lattice
from hpo_core.model.parameters import Categorical, Constant, Float, Int, ParameterSet
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration, same_values


def refused(*parameters, **exclusions):
    with pytest.raises(InvalidInput) as caught:
        SearchSpace(parameters, **exclusions)
    return [str(fault) for fault in caught.value.faults]


# -- conditions on ranges -------------------------------------------------------------------

LAYERS = Int("layers", 1, 4)


def test_a_child_is_active_where_its_parent_lies_in_the_range():
    space = SearchSpace((LAYERS, Int("width", 8, 9, when={"layers": ">= 2, < 4"})))
    active = {
        layers for layers in range(1, 5) if space.is_active(space.ordered[1], {"layers": layers})
    }
    assert active == {2, 3}
    assert space.configuration({"layers": 1}) == {"layers": 1}
    assert space.wrong({"layers": 1, "width": 8})
    assert space.has_ranges
    assert space.is_conditional


def test_values_and_ranges_may_be_mixed_and_floats_compare_as_decimals():
    space = SearchSpace(
        (Float("x", 0.0, 1.0, step=0.1), Constant("c", 1, when={"x": [0.0, "> 0.3"]}))
    )
    lattice = Lattice(space)
    with_child = [c["x"] for c in map(lattice.__getitem__, range(lattice.size)) if "c" in c]
    assert with_child == [0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def test_a_continuous_parent_takes_a_range():
    space = SearchSpace((Float("x", 0.0, 1.0), Int("n", 1, 2, when={"x": "<= 0.5"})))
    assert set(space.draw(iter([0.2, 0.9]).__next__)) == {"x", "n"}
    assert set(space.draw(iter([0.7]).__next__)) == {"x"}


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ({"layers": ">= 5"}, "the parent is never >= 5: it lies between 1 and 4"),
        ({"layers": "> 2, < 3"}, "the parent is never > 2, < 3"),
        ({"layers": "2"}, "expected a range such as '>= 2' or '> 0.1, <= 0.5', got '2'"),
        ({"layers": "== 2"}, "expected a range"),
        ({"layers": ">= two"}, "expected a range"),
        ({"layers": ">= 2,"}, "expected a range"),
    ],
)
def test_what_is_no_range_of_the_parent_is_a_fault_with_its_place(when, says):
    [fault] = refused(LAYERS, Int("width", 8, 9, when=when))
    assert fault.startswith("parameters.width.when.layers: ")
    assert says in fault


def test_a_text_of_a_categorical_parent_is_one_of_its_choices_and_no_range():
    space = SearchSpace((Categorical("k", (">= 2", "b")), Constant("c", 1, when={"k": ">= 2"})))
    assert not space.has_ranges
    assert space.configuration({"k": ">= 2", "c": 1})


BOUND = st.tuples(st.sampled_from(("<", "<=", ">", ">=")), st.integers(-1, 8))


@settings(deadline=None)
@given(st.lists(BOUND, min_size=1, max_size=2), st.integers(0, 7), st.booleans())
def test_a_lattice_with_ranges_numbers_each_configuration_once(bounds, value, excludes):
    text = ", ".join(f"{relation} {bound}" for relation, bound in bounds)
    when = {"a": [text, value]}
    forbidden = ({"a": 3, "b": 1},) if excludes else ()
    assume(any(a in Range(text) for a in range(8)))
    space = SearchSpace(
        (Int("a", 0, 7), Int("b", 0, 2, when=when), Int("c", 0, 1, when={"b": "> 0"})), forbidden
    )
    lattice = Lattice(space)
    every = [lattice[place] for place in range(lattice.size)]
    assert [lattice.index(each) for each in every] == list(range(lattice.size))
    assert not any(map(space.wrong, every))
    assert len(set(every)) == lattice.size
    expected = 0
    for a in range(8):
        for b in (0, 1, 2) if space.is_active(space.ordered[1], {"a": a}) else (None,):
            for _ in (0, 1) if b else (None,):
                expected += not (excludes and (a, b) == (3, 1))
    assert lattice.size == expected


def test_a_range_of_a_huge_parent_costs_no_more_than_that_of_a_small_one():
    space = SearchSpace((Int("a", -(2**62), 2**62), Int("b", 0, 1, when={"a": ["> 7", 3]})))
    lattice = Lattice(space)
    above = 2**62 - 7
    assert lattice.size == 2**63 + 1 + above + 1
    for place in (0, 1, 2**62 + 3, 2**62 + 8, lattice.size - 1):
        assert lattice.index(lattice[place]) == place


# -- linear inequalities --------------------------------------------------------------------

X, Y = Float("x", 0.0, 1.0, step=0.1), Float("y", 0.0, 1.0, step=0.1)


def test_what_violates_an_inequality_is_forbidden_and_the_fault_says_which():
    space = SearchSpace((X, Y), linear=("x + 2 * y <= 1",))
    assert not space.is_forbidden({"x": 0.8, "y": 0.1})  # exactly 1
    assert space.is_forbidden({"x": 0.9, "y": 0.1})
    [fault] = space.wrong({"x": 0.9, "y": 0.1})
    assert str(fault) == "x=0.9, y=0.1 violates x + 2 * y <= 1"


def test_an_inequality_with_an_inactive_name_does_not_apply():
    space = SearchSpace((X, Float("y", 0.0, 1.0, when={"x": "< 0.5"})), linear=("x + y <= 0.5",))
    assert not space.is_forbidden({"x": 0.9})
    assert space.is_forbidden({"x": 0.4, "y": 0.2})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x + z <= 1", "there is no parameter 'z'"),
        ("x + k <= 1", "k is not a float or an int"),
        ("x + y == 1", "expected an inequality (<=, <, >=, >), got =="),
        ("x - x <= 1", "names no parameter that would matter"),
        ("x * y <= 1", "a product of two names is not linear"),
        ("x + y >= 3", "no values of x, y satisfy x + y >= 3"),
    ],
)
def test_an_inequality_that_cannot_be_used_is_a_fault_with_its_place(text, says):
    [fault] = refused(X, Y, Categorical("k", (1, 2)), linear=(text,))
    assert fault.startswith("linear[0]: ")
    assert says in fault


def test_the_first_configuration_to_try_satisfies_the_inequalities():
    space = SearchSpace((X, Y), ({"x": 0.0},), linear=("x + y <= 0.3",))
    assert not space.wrong(space.defaults())
    assert space.defaults() == space.defaults()


def test_inequalities_that_no_configuration_satisfies_together_are_an_error_when_one_is_tried():
    space = SearchSpace((X, Y), linear=("x - y >= 0.5", "y - x >= 0.5"))
    with pytest.raises(InvalidInput, match="none of 10,000 configurations that were drawn satisf"):
        space.defaults()


# -- lists and tables -----------------------------------------------------------------------

CHOICES = ([0.9, 0.99], [0.9, 1], {"a": [1, None], "b": {"c": True}}, "[0.9, 0.99]", [])


def test_choices_are_lists_and_tables_whose_types_count():
    axis = Categorical("betas", CHOICES)
    for place, choice in enumerate(CHOICES):
        assert axis.at(place) == choice
        assert axis.index(axis.at(place)) == place
    assert axis.wrong([0.9, 0.99]) is None
    assert axis.wrong([0.9, 1.0])
    assert axis.wrong({"b": {"c": True}, "a": [1, None]}) is None  # the order of keys is no matter
    assert axis.wrong({"b": {"c": 1}, "a": [1, None]})
    assert axis.has_structure


def test_a_choice_that_is_changed_by_its_user_changes_for_nobody_else():
    axis = Categorical("betas", CHOICES)
    taken = axis.at(0)
    taken.append("more")
    assert axis.at(0) == [0.9, 0.99]


def test_a_tuple_is_a_list_as_json_gives_it_back():
    axis = Categorical("shape", ((1, (2, 3)), [4]))
    assert axis.choices == ([1, [2, 3]], [4])


def test_they_survive_the_store_exactly():
    space = SearchSpace(
        (
            Categorical("betas", CHOICES, default=[0.9, 1]),
            Constant("c", {"k": [1]}),
            ParameterSet("s", ({"m": [1], "n": 1}, {"m": [2], "n": 1})),
        )
    )
    again = msgspec.json.decode(msgspec.json.encode(space), type=SearchSpace)
    assert again == space
    lattice = Lattice(again)
    for place in range(lattice.size):
        stored = Configuration(json.loads(json.dumps(lattice[place])))
        assert same_values(stored, lattice[place])
        assert lattice.index(stored) == place
        assert hash(stored) == hash(lattice[place])


def test_on_the_command_line_they_are_json_with_any_spaces():
    axis = Categorical("betas", CHOICES)
    assert axis.parse("[0.9,0.99]") == [0.9, 0.99]
    assert axis.parse('{"b":{"c":true},"a":[1,null]}') == CHOICES[2]
    assert axis.parse('"[0.9, 0.99]"') == "[0.9, 0.99]"
    with pytest.raises(ValueError, match=re.escape("betas is one of [0.9, 0.99], [0.9, 1], {")):
        axis.parse("[0.9, 1.0]")


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        (([1], [1]), "choices: the same choice is listed twice"),
        (([float("nan")],), "choices[0]: a number must be finite, got nan"),
        (([{1: 2}],), "choices[0]: a key must be text, got 1"),
        (([object],), "choices[0]: a value must be plain, got <class 'object'>"),
    ],
)
def test_what_json_could_not_give_back_is_a_fault(choices, says):
    with pytest.raises(InvalidInput) as caught:
        Categorical("c", choices)
    assert [str(fault) for fault in caught.value.faults] == [says]
