"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import hyperopt
import numpy as np
import pytest
from hpo_hyperopt.options import TPE, Anneal, Options, Random
from hpo_hyperopt.plugin import build
from hpo_hyperopt.strategy import ALGORITHMS
from hyperopt import anneal, hp, tpe

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


class TestTPE(StrategyContract):
    capabilities = AskTell.capabilities
    options = TPE
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, TPE(n_startup_jobs=4))


class TestAnneal(StrategyContract):
    capabilities = AskTell.capabilities
    options = Anneal
    examples = 2
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, Anneal())


@pytest.mark.parametrize("options", [TPE(), Anneal(), Random()], ids=lambda o: o.algorithm)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    found: list[list[float]] = []

    def objective(values: dict[str, float]) -> float:
        found.append([values["x"], values["y"]])
        return loss(**values)

    hyperopt.fmin(
        objective,
        {"x": hp.uniform("x", 0.0, 1.0), "y": hp.uniform("y", 0.0, 1.0)},
        algo=ALGORITHMS[options.algorithm],
        max_evals=40,
        rstate=np.random.default_rng(7),
        show_progressbar=False,
        verbose=False,
    )
    assert ours(options, 40) == found


def test_the_defaults_are_those_of_the_library() -> None:
    assert other_defaults(TPE, tpe.suggest) == []
    assert other_defaults(Anneal, anneal.AnnealingAlgo) == []
