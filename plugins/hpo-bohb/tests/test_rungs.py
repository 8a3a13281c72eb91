"""hpbandster's budgets as whole iterations."""

from __future__ import annotations

import pytest
from ConfigSpace import ConfigurationSpace
from hpo_bohb.masters import master_of
from hpo_bohb.options import HyperBandOptions
from hpo_bohb.rungs import Rungs
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.plugin import Float, Objective, Problem, SearchSpace


def budgets(least: int, most: int, eta: float) -> list[float]:
    problem = Problem(
        space=SearchSpace((Float("x", 0, 1),)),
        objectives=(Objective("loss", "minimize"),),
        seed=1,
        min_iterations=least,
        max_iterations=most,
    )
    master = master_of(problem, HyperBandOptions(eta=eta), ConfigurationSpace())
    return [float(each) for each in master.budgets]


def iterations(least: int, most: int, eta: float) -> list[int]:
    found = budgets(least, most, eta)
    return [Rungs(found).iterations(each) for each in found]


@pytest.mark.parametrize(
    ("least", "most", "eta", "expected"),
    [
        (1, 27, 3, [1, 3, 9, 27]),
        (1, 20, 3, [2, 7, 20]),
        (3, 10, 2, [5, 10]),
        (1, 10, 4, [3, 10]),  # 2.5 and 10: a half is rounded up
        (5, 5, 3, [5]),
        (1, 243, 3, [3, 9, 27, 81, 243]),  # 6 rungs would fit: hpbandster loses one by truncation
    ],
)
def test_rungs_are_the_nearest_whole_numbers(
    least: int, most: int, eta: float, expected: list[int]
) -> None:
    assert iterations(least, most, eta) == expected


@given(least=st.integers(1, 50), extent=st.integers(0, 5_000), eta=st.floats(2, 8, allow_nan=False))
def test_rungs_rise_and_stay_between_the_least_and_the_most(
    least: int, extent: int, eta: float
) -> None:
    found = iterations(least, least + extent, eta)

    assert found == sorted(set(found))
    assert found[0] >= least
    assert found[-1] == least + extent


def test_a_job_has_trained_on_the_largest_budget_that_it_has_reached() -> None:
    rungs = Rungs(budgets(1, 20, 3))

    assert rungs.budget(1) is None
    assert rungs.budget(2) == pytest.approx(20 / 9)
    assert rungs.budget(19) == pytest.approx(20 / 3)
    assert rungs.budget(20) == rungs.budget(None) == 20.0
