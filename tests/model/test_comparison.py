"""The small grammar of comparisons."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.model.comparison import RELATIONS, comparison


@pytest.mark.parametrize(
    ("text", "coefficients", "relation", "bound"),
    [
        ("x + 2 * y <= 1", {"x": 1, "y": 2}, "<=", 1),
        ("x>=-3", {"x": 1}, ">=", -3),
        ("-x + y*2 < 1e-3", {"x": -1, "y": 2}, "<", Fraction("0.001")),
        ("2 * (x - 3 * (y + 1)) > x / 4", {"x": Fraction(7, 4), "y": -6}, ">", 6),
        ("1 <= x", {"x": -1}, "<=", -1),
        ("validation/loss != .5", {"validation/loss": 1}, "!=", Fraction(1, 2)),
        ("model.width == `n-layers`", {"model.width": 1, "n-layers": -1}, "==", 0),
        ("x/2 <= 1", {"x": Fraction(1, 2)}, "<=", 1),
        ("x - x <= 1", {}, "<=", 1),
        ("größe < 5.", {"größe": 1}, "<", 5),
    ],
)
def test_what_is_linear_is_read(text, coefficients, relation, bound):
    assert comparison(text) == (coefficients, relation, bound)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x + y", "expected one of <=, <, >=, >, ==, !=, got 'the end'"),
        ("x * y <= 1", "a product of two names is not linear, got 'y <= 1'"),
        ("1 / x <= 1", "expected a number other than 0 to divide by, got 'x <= 1'"),
        ("x / 0 <= 1", "expected a number other than 0 to divide by"),
        ("x <= 1 <= 2", "expected the end, got '<= 2'"),
        ("x <= ", "expected a number or a name, got 'the end'"),
        ("__import__('os').system('ls') <= 1", "expected one of"),
        ("x ** 2 <= 1", "expected a number or a name, got '* 2 <= 1'"),
        ("(x <= 1", "expected ), got '<= 1'"),
        ("x <= 1e999999999", "beyond those of floats"),
        ("(" * 50 + "x" + ")" * 50 + "<= 1", "nested too deeply"),
        ("x <= 1" + " " * 1000, "at most 1,000 are read"),
        ("", "expected a number or a name"),
    ],
)
def test_anything_else_is_an_error_with_its_place(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        comparison(text)


def test_arithmetic_is_that_of_decimals():
    assert comparison("x + y <= 0.3").holds({"x": 0.1, "y": 0.2})
    assert not comparison("x + y < 0.3").holds({"x": 0.1, "y": 0.2})
    assert comparison("3 * x == 0.3").holds({"x": 0.1})
    assert comparison("x > 9007199254740992").holds({"x": 9007199254740993})


def test_what_is_not_finite_compares_as_floats_do():
    assert comparison("x > 5").holds({"x": math.inf})
    assert not comparison("x - y <= 5").holds({"x": math.nan, "y": 1.0})
    assert comparison("x != 5").holds({"x": math.nan})


@given(st.text(alphabet="xy0123456789.+-*/()<>=!e` ", max_size=20))
def test_any_text_is_a_comparison_or_a_value_error(text):
    try:
        found = comparison(text)
    except ValueError:
        return
    assert found.relation in RELATIONS
    assert all(found.coefficients.values())
