"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hpo_pymoo import options as our
from hpo_pymoo.plugin import build
from hpo_pymoo.strategy import ALGORITHMS
from pymoo.core.mixed import MixedVariableGA
from pymoo.core.problem import ElementwiseProblem
from pymoo.optimize import minimize

from hpo_core.plugin import AskTell, Float, Objective, Problem, SearchSpace, Strategy
from hpo_core.testing import StrategyContract, other_defaults, suggestions

PROBLEM = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0), Float("y", 0.0, 1.0))),
    objectives=(Objective("loss", "minimize"),),
    seed=7,
)


def loss(x: float, y: float) -> float:
    return (x - 0.3) ** 2 + 10.0 * (y - 0.6 * x) ** 2


def ours(options: msgspec.Struct, trials: int) -> list[list[float]]:
    strategy = build(PROBLEM, options)
    found = suggestions(strategy, lambda c: loss(c["x"], c["y"]), trials)  # type: ignore[arg-type]
    return [[c["x"], c["y"]] for c in found]  # type: ignore[misc]


class TestGA(StrategyContract):
    capabilities = AskTell.capabilities
    options = our.GA
    examples = 3
    long_runs = (30,)

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, our.GA(pop_size=8))


class TestMixed(StrategyContract):
    capabilities = AskTell.capabilities
    options = our.MixedVariableGA
    examples = 3
    long_runs = ()

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, our.MixedVariableGA(pop_size=8))


class TestPSO(StrategyContract):
    capabilities = AskTell.capabilities
    options = our.PSO
    examples = 2
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, our.PSO(pop_size=6))


class Native(ElementwiseProblem):
    """The problem in pymoo, which keeps what it evaluates."""

    def __init__(self) -> None:
        super().__init__(n_var=2, n_obj=1, xl=0.0, xu=1.0)
        self.found: list[list[float]] = []

    def _evaluate(self, x: np.ndarray, out: dict[str, float], *_: object, **__: object) -> None:
        self.found.append([float(each) for each in x])
        out["F"] = loss(*x)


OPTIONS = [
    our.GA(pop_size=10),
    our.DE(pop_size=10),
    our.PSO(pop_size=10),
    our.ES(n_offsprings=20, pop_size=4),
    our.G3PCX(pop_size=10),
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: type(options).__name__)
def test_suggestions_are_those_of_its_own_loop(options: msgspec.Struct) -> None:
    native = Native()
    given = {k: v for k, v in msgspec.structs.asdict(options).items() if v is not None}
    minimize(native, ALGORITHMS[type(options).__name__](**given), ("n_eval", 80), seed=7)
    unique = [each for place, each in enumerate(native.found) if each not in native.found[:place]]
    assert ours(options, len(unique)) == unique


def test_the_defaults_are_those_of_the_library() -> None:
    for name, function in {**ALGORITHMS, "MixedVariableGA": MixedVariableGA}.items():
        assert other_defaults(getattr(our, name), function) == []
