"""Float and Int: exact steps, scales, bounds and types."""

import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hpo_core import Float, Int, InvalidInput

shares = st.floats(0, 1, exclude_max=True)
finite = st.floats(allow_nan=False, allow_infinity=False)


def all_points(axis: Float | Int) -> list[float]:
    assert axis.size is not None
    return [axis.at(index) for index in range(axis.size)]


@st.composite
def stepped_floats(draw: st.DrawFn) -> Float:
    """Ranges as people write them: a few decimal places, a step of as many."""
    places = draw(st.integers(0, 7))
    low, steps, step, rest = (draw(st.integers(*ends)) for ends in [
        (-(10**6), 10**6), (0, 10**6), (1, 10**4), (0, 10**4)
    ])  # fmt: skip
    high = low + steps * step + min(rest, step - 1)
    scale = 10**places
    return Float("x", low / scale, high / scale, step=step / scale)


# -- steps are exact ------------------------------------------------------------------------


def test_fault_the_grid_of_0_to_0_3_by_0_1_lost_0_2() -> None:
    assert all_points(Float("x", 0, 0.3, step=0.1)) == [0.0, 0.1, 0.2, 0.3]


def test_fault_integers_0_to_10_by_3_sampled_12() -> None:
    axis = Int("x", 0, 10, step=3)
    assert all_points(axis) == [0, 3, 6, 9]
    assert {axis.quantile(u / 1000) for u in range(1000)} == {0, 3, 6, 9}
    assert axis.quantile(math.nextafter(1, 0)) == 9


def test_fault_a_stepped_float_never_reached_its_maximum() -> None:
    axis = Float("x", 0, 1, step=0.25)
    assert all_points(axis) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert axis.quantile(math.nextafter(1, 0)) == 1.0


def test_a_step_that_does_not_divide_the_range_ends_below_its_maximum() -> None:
    assert all_points(Float("x", 0, 1, step=0.4)) == [0.0, 0.4, 0.8]
    assert all_points(Float("x", 0.1, 0.7, step=0.2)) == [0.1, 0.3, 0.5, 0.7]


def test_a_step_larger_than_the_range_leaves_the_minimum_alone() -> None:
    assert all_points(Float("x", 0, 1, step=3)) == [0.0]
    assert all_points(Int("x", 2, 4, step=3)) == [2]


def test_ten_million_steps_are_all_found_again() -> None:
    axis = Float("x", 0, 1, step=1e-7)
    assert axis.size == 10**7 + 1
    for point in range(0, 10**7, 9973):
        assert axis.index(axis.at(point)) == point
    assert axis.at(3) == 3e-07
    assert axis.at(10**7) == 1.0


@given(stepped_floats(), shares)
def test_every_step_of_a_float_is_its_own_and_is_found_again(axis: Float, u: float) -> None:
    assert axis.size is not None
    assert axis.step is not None
    point = int(u * axis.size)
    value = axis.at(point)
    assert type(value) is float
    assert axis.low <= value <= axis.high
    assert axis.wrong(value) is None
    assert axis.index(value) == point
    assert value == pytest.approx(axis.low + point * axis.step)
    assert float(f"{value:.7f}") == value  # what a person would write


@given(stepped_floats())
def test_the_last_step_is_the_highest_that_fits(axis: Float) -> None:
    assert axis.size is not None
    assert axis.step is not None
    last = axis.at(axis.size - 1)
    assert last <= axis.high
    assert last + axis.step > axis.high - axis.step / 1e6


@given(st.integers(-50, 50), st.integers(0, 100), st.integers(1, 30), shares)
def test_every_quantile_of_an_int_is_a_step_within_its_bounds(
    low: int, width: int, step: int, u: float
) -> None:
    axis = Int("x", low, low + width, step=step)
    assert axis.quantile(u) in range(low, low + width + 1, step)
    assert axis.at(axis.index(axis.quantile(u))) == axis.quantile(u)
    assert axis.size == len(range(low, low + width + 1, step))


def test_floats_too_coarse_for_a_step_are_an_error_that_names_the_least() -> None:
    with pytest.raises(InvalidInput, match=r"step: floats near 1e\+300 are too coarse for steps"):
        Float("x", 0, 1e300, step=1.0)
    assert Float("x", 0, 1e9, step=1e-5).size == 10**14 + 1


# -- scales and bounds ----------------------------------------------------------------------


@given(finite, finite, shares)
def test_quantiles_of_a_float_stay_within_its_bounds(low: float, high: float, u: float) -> None:
    assume(low <= high and math.isfinite(high - low))
    value = Float("x", low, high).quantile(u)
    assert type(value) is float
    assert low <= value <= high


@given(st.floats(5e-324, 1e308), st.floats(5e-324, 1e308), shares)
def test_quantiles_of_a_log_float_stay_within_its_bounds(a: float, b: float, u: float) -> None:
    low, high = min(a, b), max(a, b)
    assert low <= Float("x", low, high, log=True).quantile(u) <= high


@given(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1), shares)
def test_quantiles_of_a_log_int_stay_within_its_bounds(a: int, b: int, u: float) -> None:
    low, high = min(a, b), max(a, b)
    value = Int("x", low, high, log=True).quantile(u)
    assert type(value) is int
    assert low <= value <= high


def test_the_middle_of_a_log_scale_is_the_geometric_mean() -> None:
    assert Float("x", 1e-300, 1e300, log=True).quantile(0.5) == pytest.approx(1)
    assert Int("x", 1, 10**6, log=True).quantile(0.5) == pytest.approx(1000, rel=0.5)


def test_a_log_int_reaches_both_of_its_ends() -> None:
    axis = Int("x", 1, 3, log=True)
    assert {axis.quantile(u / 100) for u in range(100)} == {1, 2, 3}


def test_each_integer_of_a_linear_int_is_equally_likely() -> None:
    axis = Int("x", -1, 2)
    drawn = [axis.quantile(u / 400) for u in range(400)]
    assert [drawn.count(value) for value in (-1, 0, 1, 2)] == [100] * 4


def test_a_range_of_one_value_has_one_point() -> None:
    for axis in (
        Float("x", 2, 2),
        Float("x", 2, 2, log=True),
        Float("x", 2, 2, step=0.1),
        Int("x", 2, 2),
        Int("x", 2, 2, log=True),
    ):
        assert axis.size == 1
        assert axis.at(0) == axis.quantile(0.7) == axis.start == 2
        assert axis.wrong(axis.start) is None


def test_a_float_without_a_step_has_no_number_of_points() -> None:
    assert Float("x", 0, 1).size is None


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Float("x", 1, 0), "low: 1.0 is above high, which is 0.0"),
        (lambda: Int("x", 1, 0), "low: 1 is above high, which is 0"),
        (lambda: Float("x", 0, math.inf), "the range must be finite, got 0.0 to inf"),
        (lambda: Float("x", math.nan, 1), "the range must be finite, got nan to 1.0"),
        (lambda: Float("x", -1.7e308, 1.7e308), "wider than a float can hold; narrow it"),
        (lambda: Int("x", 0, 10**30), "integers must fit in 64 bits"),
        (lambda: Float("x", 0, 1, log=True), "low: a log scale needs low above 0, got 0.0"),
        (lambda: Int("x", -1, 1, log=True), "low: a log scale needs low above 0, got -1"),
        (lambda: Float("x", 0, 1, step=0), "step: a step must be a finite number above 0, got 0"),
        (lambda: Int("x", 0, 1, step=-1), "step: a step must be a finite number above 0, got -1"),
        (lambda: Float("x", 0, 1, step=math.nan), "step: a step must be a finite number above 0"),
        (lambda: Float("x", 0, 1, default=2), "default: x lies between 0.0 and 1.0, got 2.0"),
        (lambda: Int("x", 0, 10, step=3, default=5), "default: x goes from 0 by 3, got 5"),
        (lambda: Float("", 0, 1), "name: a parameter needs a name"),
    ],
)
def test_an_impossible_range_is_an_error_that_says_why(
    make: Callable[[], object], said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", [Float, Int])
def test_log_or_step_but_not_both(kind: type[Float | Int]) -> None:
    assert kind("x", 1, 8, log=True).log
    assert kind("x", 1, 8, step=2).step == 2
    with pytest.raises(InvalidInput, match="a log scale takes no step; leave out step or log"):
        kind("x", 1, 8, log=True, step=2)


def test_all_faults_of_a_range_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        Int("", 0, -1, log=True, step=-1, when={"": 1})
    assert [fault.path for fault in caught.value.faults] == [
        "name", "when.", "low", "low", "step", "step",
    ]  # fmt: skip


def test_a_search_begins_at_the_default_or_else_in_the_middle() -> None:
    assert Float("x", 0, 1, default=0.2).start == 0.2
    assert Float("x", 0, 1).start == 0.5
    assert Int("x", 0, 8).start == 4
    assert Int("x", 0, 8, default=0).start == 0


# -- types ----------------------------------------------------------------------------------

OTHERS = [True, "1", None, [1], np.float64(1.0), np.int64(1), math.nan]


@pytest.mark.parametrize("value", [1, *OTHERS], ids=repr)
def test_a_float_takes_floats_alone(value: object) -> None:
    assert Float("x", 0, 2).wrong(1.0) is None
    assert Float("x", 0, 2).wrong(value) is not None


@pytest.mark.parametrize("value", [1.0, *OTHERS], ids=repr)
def test_int_accepts_only_ints(value: object) -> None:
    assert Int("x", 0, 2).wrong(1) is None
    assert Int("x", 0, 2).wrong(value) is not None


@pytest.mark.parametrize("value", [np.float64(1), np.float32(1), np.int64(1), np.bool_(True)])
def test_a_numpy_scalar_is_refused_with_what_to_do_about_it(value: object) -> None:
    for axis in (Float("x", 0, 2), Int("x", 0, 2)):
        assert "give it as plain Python (a numpy scalar's .item()" in str(axis.wrong(value))
    with pytest.raises(InvalidInput, match=r"low: expected .*give it as plain Python"):
        Float("x", value, 2)  # type: ignore[arg-type]  # what is tested


def test_whole_numbers_are_taken_as_a_float_s_bounds_but_truths_are_not() -> None:
    assert type(Float("x", 0, 1).high) is float
    with pytest.raises(InvalidInput, match=r"low: expected a number, got False\nhigh: .* True"):
        Float("x", False, True)
    with pytest.raises(InvalidInput, match=r"high: expected an integer, got 2\.0"):
        Int("x", 1, 2.0)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("text", ["0.5", ".5", "5e-1", "+0.5"])
def test_a_float_is_read_as_people_write_it(text: str) -> None:
    assert Float("x", 0, 1).parse(text) == 0.5


@pytest.mark.parametrize("text", ["2", "nan", "inf", "x", "true", "", "1e999", "9" * 400])
def test_invalid_value_of_a_float_gives_one_message(text: str) -> None:
    with pytest.raises(ValueError, match=r"^x (takes|lies)"):
        Float("x", 0, 1).parse(text)


def test_a_whole_number_is_read_as_the_type_of_its_parameter() -> None:
    assert type(Float("x", 0, 2).parse("1")) is float
    assert type(Int("x", 0, 2).parse("1")) is int
    with pytest.raises(ValueError, match=r"x takes an integer, got '1\.0'"):
        Int("x", 0, 2).parse("1.0")


@given(stepped_floats())
def test_a_stepped_float_comes_back_from_json_the_same(axis: Float) -> None:
    back = msgspec.json.decode(msgspec.json.encode(axis), type=Float)
    assert back == axis
    assert [type(x) for x in (back.low, back.high, back.step)] == [float] * 3


@given(finite, finite)
def test_bounds_come_back_from_json_bit_for_bit(low: float, high: float) -> None:
    assume(low <= high and math.isfinite(high - low))
    axis = Float("x", low, high, default=low)
    assert msgspec.json.decode(msgspec.json.encode(axis), type=Float) == axis


def test_a_parameter_cannot_be_changed_and_a_changed_copy_is_checked() -> None:
    axis = Float("x", 0, 1, step=0.1)
    with pytest.raises(AttributeError):
        axis.low = 2  # type: ignore[misc]  # what is tested
    assert msgspec.structs.replace(axis, high=0.5).size == 6
    with pytest.raises(InvalidInput):
        msgspec.structs.replace(axis, high=-1)


def test_a_number_in_quotes_is_told_from_a_word() -> None:
    assert str(Float("x", 0, 1).wrong("0.5")).endswith("got '0.5'; leave out the quotes")
    assert str(Int("x", 0, 1).wrong("1")).endswith("got '1'; leave out the quotes")
    assert str(Int("x", 0, 1).wrong("one")).endswith("got 'one'")
