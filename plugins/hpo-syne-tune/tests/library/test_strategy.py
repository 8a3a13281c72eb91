"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import numpy as np
import pytest
from hpo_syne_tune.options import BORE, KDE, REA, Options
from hpo_syne_tune.plugin import build
from hpo_syne_tune.strategy import SEARCHERS
from syne_tune.config_space import uniform

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


class TestBORE(StrategyContract):
    capabilities = AskTell.capabilities
    options = BORE
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, BORE(init_random=3, feval_acq=20))


class TestKDE(StrategyContract):
    capabilities = AskTell.capabilities
    options = KDE
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, KDE())


class TestREA(StrategyContract):
    capabilities = AskTell.capabilities
    options = REA
    examples = 3
    long_runs = (30,)

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, REA(population_size=10))


@pytest.mark.parametrize("options", [BORE(), KDE(), REA()], ids=lambda o: o.searcher)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    np.random.seed(7)  # random configurations are drawn from the global stream
    space = {"x": uniform(0.0, 1.0), "y": uniform(0.0, 1.0)}
    native = SEARCHERS[options.searcher](space, random_seed=7)
    found: list[list[float]] = []
    for trial in range(9 if options.searcher == "Bore" else 40):
        values = native.suggest()
        native.on_trial_complete(trial, values, loss(**values))
        if [values["x"], values["y"]] not in found:  # hpo-core tries no configuration twice
            found.append([values["x"], values["y"]])
    assert ours(options, len(found)) == found


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (BORE, KDE, REA):
        assert other_defaults(options, SEARCHERS[options.searcher]) == []
