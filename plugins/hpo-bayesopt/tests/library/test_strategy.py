"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import pytest
from bayes_opt import BayesianOptimization, acquisition
from hpo_bayesopt.options import Options
from hpo_bayesopt.plugin import build

from hpo_core.plugin import AskTell, Float, Objective, Problem, SearchSpace, Strategy
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


class TestBayesOpt(StrategyContract):
    capabilities = AskTell.capabilities
    options = Options
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, Options(init_points=2))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("ucb", acquisition.UpperConfidenceBound(kappa=2.576)),
        ("ei", acquisition.ExpectedImprovement(xi=0.01)),
        ("poi", acquisition.ProbabilityOfImprovement(xi=0.01)),
    ],
)
def test_suggestions_are_those_of_its_own_loop(
    name: str, function: acquisition.AcquisitionFunction
) -> None:
    native = BayesianOptimization(
        lambda x, y: -loss(x, y),
        {"x": (0.0, 1.0), "y": (0.0, 1.0)},
        acquisition_function=function,
        random_state=7,
        verbose=0,
        allow_duplicate_points=True,
    )
    native.maximize(init_points=5, n_iter=7)
    found = [[float(each["params"]["x"]), float(each["params"]["y"])] for each in native.res]
    assert ours(Options(acquisition_function=name), 12) == found


def test_the_defaults_are_those_of_the_library() -> None:
    own = {"acquisition_function", "xi"}  # the library's classes require xi; its docs have 0.01
    functions = (
        BayesianOptimization.maximize,
        acquisition.UpperConfidenceBound,
        acquisition.ConstantLiar,
    )
    assert other_defaults(Options, *functions, own=own) == []
