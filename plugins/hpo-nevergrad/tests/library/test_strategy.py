"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import nevergrad as ng
import numpy as np
import pytest
from hpo_nevergrad.options import (
    PSO,
    TBPSA,
    NGOpt,
    OnePlusOne,
    Options,
    Registry,
    ScrHammersleySearch,
    TwoPointsDE,
)
from hpo_nevergrad.plugin import build

from hpo_core.plugin import AskTell, Float, InvalidInput, Objective, Problem, SearchSpace, Strategy
from hpo_core.testing import StrategyContract, other_defaults, suggestions

PROBLEM = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0), Float("y", 0.0, 1.0))),
    objectives=(Objective("loss", "minimize"),),
    seed=7,
)


def loss(x: float, y: float) -> float:
    return (x - 0.3) ** 2 + 10.0 * (y - 0.6 * x) ** 2


def ours(options: Options, trials: int) -> list[list[float]]:
    strategy = build(PROBLEM, options)
    found = suggestions(strategy, lambda c: loss(c["x"], c["y"]), trials)  # type: ignore[arg-type]
    return [[c["x"], c["y"]] for c in found]  # type: ignore[misc]


class TestNGOpt(StrategyContract):
    capabilities = AskTell.capabilities
    options = NGOpt
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, NGOpt())


class TestDE(StrategyContract):
    capabilities = AskTell.capabilities
    options = TwoPointsDE
    examples = 3
    long_runs = (30,)

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, TwoPointsDE(budget=100))


class TestOnePlusOne(StrategyContract):
    capabilities = AskTell.capabilities
    options = OnePlusOne
    examples = 2
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, OnePlusOne())


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (NGOpt(), "NGOpt"),
        (NGOpt(budget=1000), "NGOpt"),
        (TwoPointsDE(), "TwoPointsDE"),
        (PSO(), "PSO"),
        (OnePlusOne(), "OnePlusOne"),
        (TBPSA(), "TBPSA"),
        (ScrHammersleySearch(budget=60), "ScrHammersleySearch"),
        (Registry(name="CMA"), "CMA"),
    ],
    ids=str,
)
def test_suggestions_are_those_of_its_own_loop(options: Options, name: str) -> None:
    space = ng.p.Tuple(ng.p.Scalar(lower=0.0, upper=1.0), ng.p.Scalar(lower=0.0, upper=1.0))
    space.random_state = np.random.RandomState(7)
    native = ng.optimizers.registry[name](space, budget=options.budget, num_workers=1)
    found = []
    np.random.seed(7)  # pycma draws from the global stream
    for _ in range(60):
        candidate = native.ask()
        native.tell(candidate, loss(*candidate.value))
        if list(candidate.value) not in found:  # hpo-core tries no configuration twice
            found.append(list(candidate.value))
    assert ours(options, len(found)) == found


def test_a_name_that_the_registry_lacks_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidInput, match="no optimizer 'TwoPointDE'; did you mean 'TwoPointsDE'"):
        build(PROBLEM, Registry(name="TwoPointDE"))


def test_the_defaults_are_those_of_the_library() -> None:
    function = ng.optimizers.base.Optimizer.__init__
    assert other_defaults(TwoPointsDE, function, own={"num_workers"}) == []
