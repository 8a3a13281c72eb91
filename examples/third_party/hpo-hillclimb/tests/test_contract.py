"""The contract of a strategy, and the behaviour of hill climbing."""

from __future__ import annotations

import pytest
from hpo_core import Budget, Float, InvalidInput, Objective, SearchSpace, optimize
from hpo_core.plugin import Problem, Strategy
from hpo_core.testing import StrategyContract

from hpo_hillclimb.options import Options
from hpo_hillclimb.plugin import CAPABILITIES, build


class TestContract(StrategyContract):
    capabilities = CAPABILITIES
    options = Options

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, Options(first=2, patience=3))


def test_finds_the_optimum_of_a_smooth_function() -> None:
    result = optimize(
        lambda values: (values["x"] - 0.3) ** 2 + (values["y"] - 0.7) ** 2,
        [Float("x", 0.0, 1.0), Float("y", 0.0, 1.0)],
        objective=Objective("loss", "minimize"),
        budget=Budget(jobs=200),
        strategy="hillclimb",
        backend="inline",
        seed=7,
    )
    assert result.best.values["loss"] < 1e-3


def test_all_options_out_of_range_are_reported_at_once() -> None:
    problem = Problem(
        space=SearchSpace((Float("x", 0.0, 1.0),)),
        objectives=(Objective("loss", "minimize"),),
        seed=1,
    )
    with pytest.raises(InvalidInput, match=r"first: .*\nstep: "):
        build(problem, Options(first=0, step=-1.0))
