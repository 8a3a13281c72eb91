"""Categorical, Constant and ParameterSet: types are preserved, and part of a value."""

import enum
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import Categorical, Constant, InvalidInput, ParameterSet
from hpo_core.model.values import identity
from hpo_core.plugin import Value

FOUR_ONES = (1, 1.0, True, "1")
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)


# -- Categorical ----------------------------------------------------------------------------


def test_one_is_not_1_0_nor_true_nor_text() -> None:
    axis = Categorical("x", (*FOUR_ONES, None))
    for point, choice in enumerate(axis.choices):
        assert axis.index(choice) == point
        assert identity(axis.at(point)) == identity(choice)
    for kept in FOUR_ONES:
        others = [one for one in FOUR_ONES if one is not kept]
        assert all(Categorical("x", (kept,)).wrong(other) for other in others)


@given(st.lists(plain, min_size=1, unique_by=identity))
def test_choices_keep_their_types_through_json(choices: list[Value]) -> None:
    axis = Categorical("x", tuple(choices))
    back = msgspec.json.decode(msgspec.json.encode(axis), type=Categorical)
    assert list(map(identity, back.choices)) == list(map(identity, choices))


@given(st.lists(plain, min_size=1, unique_by=identity), st.floats(0, 1, exclude_max=True))
def test_every_quantile_is_a_choice_and_each_is_equally_likely(
    choices: list[Value], u: float
) -> None:
    axis = Categorical("x", tuple(choices))
    assert identity(axis.quantile(u)) == identity(choices[int(u * len(choices))])


def test_the_choices_are_listed_and_the_nearest_one_is_named() -> None:
    wrong = Categorical("x", ("adam", "sgd", None)).wrong("adm")
    assert wrong == "x is one of 'adam', 'sgd', None; got 'adm'; did you mean 'adam'?"


@pytest.mark.parametrize(
    ("choice", "given", "hint"),
    [
        (True, "true", "got the text 'true'; did you mean the boolean true?"),
        (False, "False", "got the text 'False'; did you mean the boolean false?"),
        ("true", True, "got the boolean true; did you mean the text 'true'?"),
        (1, "1", "got the text '1'; did you mean the integer 1?"),
        (1, 1.0, "got the number 1.0; did you mean the integer 1?"),
        (1, True, "got the boolean true; did you mean the integer 1?"),
        (0.5, "0.5", "got the text '0.5'; did you mean the number 0.5?"),
        ("0.5", 0.5, "got the number 0.5; did you mean the text '0.5'?"),
        (None, "null", "got the text 'null'; did you mean null?"),
    ],
)
def test_a_value_of_another_type_is_told_by_the_types(
    choice: Value, given: Value, hint: str
) -> None:
    for axis in (Categorical("x", (choice, "other")), Constant("x", choice)):
        assert (axis.wrong(given) or "").endswith(hint)


@pytest.mark.parametrize("value", [[1], {"a": 1}, np.array([1, 2]), object()], ids=type)
def test_non_plain_value_is_not_a_choice(value: object) -> None:
    assert Categorical("x", (1, 2)).wrong(value)
    assert Constant("x", 1).wrong(value)
    assert ParameterSet("s", ({"x": 1},)).index_of({"x": value}) is None  # type: ignore[dict-item]


class Colour(str, enum.Enum):
    RED = "red"


@pytest.mark.parametrize("value", [np.str_("a"), np.float64(1), np.int64(1), Colour.RED], ids=type)
def test_choices_of_other_types_are_refused_with_what_to_do_about_it(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"choices\[1\]: expected .*; give it as plain Python"):
        Categorical("x", ("a", value))
    with pytest.raises(InvalidInput, match=r"value: expected .*; give it as plain Python"):
        Constant("x", value)
    with pytest.raises(InvalidInput, match=r"combinations\[0\].a: expected .*plain Python"):
        ParameterSet("s", ({"a": value},))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_must_be_finite(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"choices\[1\]: a number must be finite"):
        Categorical("x", ("a", value))
    with pytest.raises(InvalidInput, match="value: a number must be finite"):
        Constant("x", value)
    with pytest.raises(InvalidInput, match=r"combinations\[0\].a: a number must be finite"):
        ParameterSet("s", ({"a": value},))


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ((), "choices: give at least one choice"),
        (("a", "b", "a"), "choices: the same choice is listed twice"),
        ((0.0, -0.0), "choices: the same choice is listed twice"),
        ("ab", "choices: expected a list, got 'ab'"),
        (("a", ["b", object]), "choices[1]: a value must be plain, got <class 'object'>"),
    ],
)
def test_unfit_choices_are_an_error(choices: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Categorical("x", choices)
    assert str(caught.value) == said


def test_it_begins_with_its_default_or_else_with_the_first_choice() -> None:
    assert Categorical("x", ("a", "b"), default="b").start == "b"
    assert Categorical("x", ("a", None)).start == "a"
    assert Categorical("x", (1, False), default=False).start is False
    with pytest.raises(InvalidInput, match=r"default: x is one of 1, 2; got the number 1\.0; "):
        Categorical("x", (1, 2), default=1.0)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1", 1), ("1.0", 1.0), ("true", True), ('"1"', "1"), ("null", None), ("adam", "adam")],
)
def test_a_choice_is_read_as_json_or_as_bare_text(text: str, meant: Value) -> None:
    choice = Categorical("x", (*FOUR_ONES, None, "adam")).parse(text)
    assert identity(choice) == identity(meant)


def test_json_goes_before_bare_text_whatever_the_order_of_the_choices() -> None:
    assert identity(Categorical("x", ("1", 1)).parse("1")) == identity(1)
    assert identity(Categorical("x", (1, "1")).parse('"1"')) == identity("1")


def test_a_bare_number_is_the_text_where_no_number_is_a_choice() -> None:
    assert Categorical("x", ("1", "2")).parse("1") == "1"


def test_invalid_choice_gives_one_message_with_typed_choices() -> None:
    with pytest.raises(ValueError, match=r"^x is one of true, null; got 'None'$"):
        Categorical("x", (True, None)).parse("None")
    with pytest.raises(ValueError, match=r"^x is one of 3; got '4'$"):
        Constant("x", 3).parse("4")


# -- Constant -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [*FOUR_ONES, None], ids=lambda value: type(value).__name__)
def test_a_constant_has_one_value_of_its_type(value: Value) -> None:
    axis = msgspec.json.decode(msgspec.json.encode(Constant("x", value)), type=Constant)
    assert axis.size == 1
    assert identity(axis.at(0)) == identity(axis.quantile(0.9)) == identity(axis.start)
    assert identity(axis.start) == identity(value)
    assert axis.wrong(value) is None
    assert all(axis.wrong(other) for other in FOUR_ONES if identity(other) != identity(value))


# -- ParameterSet ---------------------------------------------------------------------------

NETWORKS = ParameterSet("network", ({"depth": 1, "width": 2.0}, {"width": 1.0, "depth": 2}))


def test_a_set_sets_all_of_its_members_at_once() -> None:
    assert NETWORKS.names == ("depth", "width")
    assert NETWORKS.size == 2
    assert [NETWORKS.index_of(NETWORKS.at_all(point)) for point in (0, 1)] == [0, 1]


def test_the_members_stand_in_one_order_whatever_the_order_in_a_combination() -> None:
    assert list(NETWORKS.at_all(1)) == ["depth", "width"]


def test_the_members_values_belong_together_and_keep_their_types() -> None:
    assert NETWORKS.index_of({"depth": 1, "width": 1.0}) is None
    assert NETWORKS.index_of({"depth": 1.0, "width": 2.0}) is None
    assert NETWORKS.index_of({"depth": 1, "width": 2.0, "more": 3}) == 0


def test_a_set_comes_back_from_json_with_its_types() -> None:
    back = msgspec.json.decode(msgspec.json.encode(NETWORKS), type=ParameterSet)
    assert [
        {name: identity(value) for name, value in item.items()} for item in back.combinations
    ] == [{name: identity(value) for name, value in item.items()} for item in NETWORKS.combinations]


def test_a_combination_that_is_taken_out_is_a_copy() -> None:
    NETWORKS.at_all(0)["depth"] = 9
    assert NETWORKS.at_all(0) == {"depth": 1, "width": 2.0}


def test_a_member_alone_is_a_choice_of_its_values() -> None:
    members = ParameterSet("s", ({"a": 1}, {"a": 1.0}, {"a": True}))
    assert list(map(identity, members.member("a").choices)) == list(map(identity, (1, 1.0, True)))


@pytest.mark.parametrize(
    ("combinations", "said"),
    [
        ((), "combinations: give at least one table of values"),
        (({},), "combinations: give at least one table of values"),
        (({"a": 1}, {"b": 1}), "combinations[1]: has b, but the first has a"),
        (({"a": 1}, {"a": 1}), "combinations: the same combination is listed twice"),
        (({"": 1},), "combinations: a parameter needs a name"),
        ((1,), "combinations[0]: expected a table, got 1"),
        (({"a": [{1: 2}]},), "combinations[0].a: a key must be text, got 1"),
    ],
)
def test_unfit_combinations_are_an_error(combinations: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ParameterSet("s", combinations)
    assert str(caught.value) == said


# -- conditions, alike for every kind -------------------------------------------------------


def test_a_condition_takes_one_value_or_a_list() -> None:
    assert Constant("x", 1, when={"a": "b", "c": ("d", None)}).conditions == {
        "a": ("b",),
        "c": ("d", None),
    }


def test_a_parameter_cannot_depend_on_itself() -> None:
    with pytest.raises(InvalidInput, match=r"^when.x: a parameter cannot depend on itself$"):
        Constant("x", 1, when={"x": 1})
    with pytest.raises(InvalidInput, match=r"^when.a: a parameter cannot depend on itself$"):
        ParameterSet("s", ({"a": 1},), when={"a": 1})


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"a": []}, "when.a: give at least one value"),
        (
            {"a": {"b": 1}},
            "when.a: expected text or a number or true or false or a list, got {'b': 1}",
        ),
        ({"a": [1, []]}, "when.a[1]: expected text or a number or true or false, got []"),
        ("a", "when: expected a table, got 'a'"),
    ],
)
def test_an_unfit_condition_is_an_error_at_its_place(when: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Constant("x", 1, when=when)
    assert str(caught.value) == said
