"""Durations: from text to seconds, and back to readable text."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.model.durations import human, seconds


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (90, 90), (0, 0), (1.5, 1.5),
        ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("1h30m", 5400),
        ("1.5h", 5400), ("0s", 0), (" 1h 30 m ", 5400), ("1d2h3m4.5s", 93784.5),
    ],
)  # fmt: skip
def test_a_duration_is_seconds_or_text_with_units(given: object, expected: float) -> None:
    assert seconds(given) == expected
    assert type(seconds(given)) is float


@pytest.mark.parametrize(
    "given",
    [
        "", " ", "90", "h", "10min", "1h30", "30m1h", "-5s", "1 0m", "1,5h", ".5h", "1e3s", "nan",
        -1, math.nan, math.inf, True, None, [1], b"1s",
    ],
)  # fmt: skip
def test_anything_else_is_an_error_that_shows_it(given: object) -> None:
    with pytest.raises(ValueError, match="expected seconds or a duration such as '90s'") as caught:
        seconds(given)
    assert repr(given) in str(caught.value)


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (0, "0.0s"), (-3, "0.0s"), (0.42, "0.4s"), (9.94, "9.9s"), (9.96, "10s"), (42.4, "42s"),
        (59.6, "1m00s"), (185, "3m05s"), (3599.6, "1h00m"), (7620, "2h07m"), (176400, "49h00m"),
    ],
)  # fmt: skip
def test_seconds_are_formatted_for_people(duration: float, said: str) -> None:
    assert human(duration) == said


@given(st.floats(0, 1e7))
def test_formatted_duration_can_be_parsed_and_is_close(duration: float) -> None:
    assert seconds(human(duration)) == pytest.approx(duration, rel=0.02, abs=0.051)
