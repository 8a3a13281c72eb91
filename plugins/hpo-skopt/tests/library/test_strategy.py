"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import pytest
import skopt
from hpo_skopt.options import GP, ExtraTrees, Options, RandomForest
from hpo_skopt.plugin import build

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


class TestExtraTrees(StrategyContract):
    capabilities = AskTell.capabilities
    options = ExtraTrees
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, ExtraTrees(n_initial_points=3))


@pytest.mark.parametrize(
    "options", [GP(), ExtraTrees(), RandomForest()], ids=lambda o: o.base_estimator
)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    native = skopt.Optimizer(
        [(0.0, 1.0), (0.0, 1.0)], base_estimator=options.base_estimator, random_state=7
    )
    found = []
    for _ in range(14):
        point = native.ask()
        native.tell(point, loss(*point))
        found.append(point)
    assert ours(options, 14) == found


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (GP, ExtraTrees, RandomForest):
        assert other_defaults(options, skopt.Optimizer) == []
