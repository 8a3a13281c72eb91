"""Plain values and Configuration: types are part of a value, and values are immutable."""

import copy
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import Configuration
from hpo_core.model.values import as_float, as_text, identity, is_one_of, said, same_values
from hpo_core.plugin import Value

FOUR_ONES = (1, 1.0, True, "1")
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


def test_one_is_not_1_0_nor_true_nor_text() -> None:
    assert len({identity(value) for value in FOUR_ONES}) == 4
    for value in FOUR_ONES:
        assert is_one_of(value, FOUR_ONES)
        assert not is_one_of(value, [other for other in FOUR_ONES if other is not value])


@pytest.mark.parametrize("value", [[1], {}, np.array([1])], ids=repr)
def test_what_is_not_plain_has_an_identity_too_but_that_of_no_value(value: object) -> None:
    assert identity(value) not in {identity(one) for one in (*FOUR_ONES, None)}


@given(plain, plain)
def test_values_are_the_same_if_they_are_equal_and_of_one_type(one: Value, other: Value) -> None:
    alike = one == other and type(one) is type(other)
    assert same_values({"x": one}, {"x": other}) is alike
    assert (identity(one) == identity(other)) is alike


def test_mappings_with_other_keys_are_not_the_same() -> None:
    assert not same_values({"a": 1}, {"a": 1, "b": None})
    assert not same_values({"a": 1}, {"b": 1})
    assert same_values({"a": 1, "b": 2}, {"b": 2, "a": 1})


@given(plain)
def test_a_value_as_text_is_json_but_for_text_itself(value: Value) -> None:
    text = as_text(value)
    assert identity(value if isinstance(value, str) else json.loads(text)) == identity(value)
    assert not isinstance(value, str) or text == value


def test_a_whole_number_becomes_a_float_where_there_is_one() -> None:
    assert identity(as_float(3)) == identity(3.0)
    for other in (True, "3", None, 3.5, 10**400):
        assert as_float(other) is other


def test_an_error_shows_a_value_and_what_to_do_if_it_is_not_plain() -> None:
    assert said(1.5) == "1.5"
    assert said([1]) == "[1]"
    assert "plain Python (a numpy scalar's .item()" in said(np.float64(1.5))


# -- Configuration --------------------------------------------------------------------------

CONFIGURATION = Configuration({"lr": 0.1, "depth": 3, "act": None})


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.__setitem__("lr", 1),
        lambda c: c.__delitem__("lr"),
        lambda c: c.__ior__({"lr": 1}),
        lambda c: c.update(lr=1),
        lambda c: c.setdefault("new", 1),
        lambda c: c.pop("lr"),
        lambda c: c.popitem(),
        lambda c: c.clear(),
        lambda c: setattr(c, "note", 1),
    ],
)
def test_a_configuration_cannot_be_changed(change: Callable[[Any], object]) -> None:
    before = dict(CONFIGURATION)
    with pytest.raises((TypeError, AttributeError)):
        change(CONFIGURATION)
    assert dict(CONFIGURATION) == before


def test_changing_one_says_what_to_do_instead() -> None:
    configuration = CONFIGURATION
    with pytest.raises(TypeError, match="make a dict of it"):
        configuration |= {"lr": 1.0}
    assert dict(CONFIGURATION, lr=1.0) == {"lr": 1.0, "depth": 3, "act": None}
    assert CONFIGURATION | {"lr": 1.0} == {"lr": 1.0, "depth": 3, "act": None}


@given(st.dictionaries(st.text(), plain))
def test_it_survives_pickle_copy_and_json_with_order_and_types(values: dict[str, Value]) -> None:
    configuration = Configuration(values)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(configuration, protocol))
        assert type(back) is Configuration
        assert list(back) == list(values)
        assert same_values(back, values)
    assert copy.copy(configuration) is copy.deepcopy(configuration) is configuration
    assert same_values(json.loads(json.dumps(configuration)), values)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), plain.filter(bool)))
def test_msgspec_writes_it_as_the_dict_that_it_is(values: dict[str, Value]) -> None:
    values = {k: v for k, v in values.items() if not isinstance(v, str) or v.isascii()}
    assert same_values(msgspec.json.decode(msgspec.json.encode(Configuration(values))), values)


@given(st.dictionaries(st.text(), plain))
def test_equal_configurations_have_one_hash_whatever_their_order(values: dict[str, Value]) -> None:
    reordered = Configuration(dict(reversed(values.items())))
    assert reordered == Configuration(values)
    assert hash(reordered) == hash(Configuration(values))


def test_it_is_a_dict_that_functions_take_as_arguments() -> None:
    assert dict(**CONFIGURATION) == CONFIGURATION
    assert isinstance(CONFIGURATION, dict)
    assert eval(repr(CONFIGURATION)) == CONFIGURATION


def test_floats_keep_every_bit() -> None:
    for value in (0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0):
        back = msgspec.json.decode(msgspec.json.encode(Configuration(x=value)))["x"]
        assert math.copysign(1, back) == math.copysign(1, value)
        assert back == value
