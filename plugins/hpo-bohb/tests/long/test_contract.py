"""Every variant keeps the contract of strategies, on many cases."""

from __future__ import annotations

from typing import Any

from hpo_bohb.options import BOHB, HyperBand, RandomSearch, abilities
from hpo_bohb.plugin import build

from hpo_core.plugin import Problem, Strategy
from hpo_core.testing import StrategyContract


class Contract(StrategyContract):
    examples = 60
    given: Any = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, self.given)


class TestBOHB(Contract):
    given = BOHB()
    capabilities = abilities(given)
    options = BOHB


class TestBOHBWithoutRandomPicks(Contract):
    given = BOHB(num_samples=4, random_fraction=0.0)
    capabilities = abilities(given)
    options = BOHB


class TestTrainingAnew(Contract):
    given = BOHB(num_samples=4, resume=False)
    capabilities = abilities(given)
    options = BOHB


class TestTwoBrackets(Contract):
    given = HyperBand(n_iterations=2)
    capabilities = abilities(given)
    options = HyperBand


class TestHyperBand(Contract):
    given = HyperBand(eta=2.5)
    capabilities = abilities(given)
    options = HyperBand


class TestRandomSearch(Contract):
    given = RandomSearch()
    capabilities = abilities(given)
    options = RandomSearch


del Contract, StrategyContract  # only what is named above is collected
