"""Budget: validation, and the remaining amounts."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import Budget, InvalidInput
from hpo_core.model.budget import LIMITS, remaining
from hpo_core.plugin import Usage


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"jobs": "10"}, "jobs: expected an integer, got '10'"),
        ({"jobs": 10.0}, "jobs: expected an integer, got 10.0"),
        ({"trials": 1.5}, "trials: expected an integer, got 1.5"),
        ({"jobs": True}, "jobs: expected an integer, got True"),
        ({"iterations": [5]}, "iterations: expected an integer, got [5]"),
        ({"wall_time": True}, "wall_time: expected a number, got True"),
        (
            {"wall_time": "soon"},
            "wall_time: expected seconds or a duration such as '90s', '10m' or '2h', got 'soon'",
        ),
        ({"jobs": 1, "count": "done"}, "count: expected 'launched' or 'completed', got 'done'"),
    ],
)
def test_fault_bad_types_in_a_budget_were_swallowed(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Budget(**limits)
    assert str(caught.value) == said


def test_fault_misspelt_options_were_swallowed() -> None:
    with pytest.raises(TypeError, match="jobz"):
        Budget(jobz=10)  # type: ignore[call-arg]  # what is tested


@pytest.mark.parametrize("limit", [0, -1, math.nan, math.inf, 10**400])
@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_above_0_and_finite(name: str, limit: float) -> None:
    given: dict[str, Any] = {name: limit}
    whole = name in ("trials", "jobs", "iterations")
    if whole and limit == 10**400:
        assert Budget(**given)
    else:
        with pytest.raises(InvalidInput, match=f"^{name}: "):
            Budget(**given)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        Budget(jobs=0, trials=-3, wall_time=math.nan)
    assert [fault.path for fault in caught.value.faults] == ["trials", "jobs", "wall_time"]


def test_counting_completed_trials_needs_a_limit_of_jobs() -> None:
    assert Budget(jobs=3, count="completed").count == "completed"
    with pytest.raises(InvalidInput, match="count: says what jobs counts; give jobs a limit too"):
        Budget(trials=3, count="completed")


def test_remaining_amounts_are_given_for_existing_limits() -> None:
    assert remaining(Budget(), Usage(jobs=3)) == {}
    budget = Budget(trials=5, jobs=10, iterations=100, compute_time=60, wall_time=2.5)
    usage = Usage(trials=1, jobs=4, iterations=100, compute_time=61.5, wall_time=1.0)
    assert remaining(budget, usage) == {
        "trials": 4, "jobs": 6, "iterations": 0, "compute_time": 0, "wall_time": 1.5,
    }  # fmt: skip


def test_fault_a_ratio_was_compared_with_a_limit_in_minutes() -> None:
    assert remaining(Budget(wall_time=600), Usage(wall_time=600.0)) == {"wall_time": 0}
    assert remaining(Budget(wall_time=600), Usage(wall_time=10.0)) == {"wall_time": 590}


@given(st.integers(1, 100), st.integers(0, 200))
def test_what_is_left_is_never_below_0_and_a_count_stays_whole(limit: int, used: int) -> None:
    left = remaining(Budget(jobs=limit), Usage(jobs=used))["jobs"]
    assert left == max(limit - used, 0)
    assert type(left) is int


def test_a_budget_comes_back_from_json_the_same() -> None:
    budget = Budget(jobs=10, wall_time=1, count="completed")
    assert msgspec.json.decode(msgspec.json.encode(budget), type=Budget) == budget
