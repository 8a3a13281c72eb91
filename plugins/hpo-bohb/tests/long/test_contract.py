"""Every variant keeps the contract of strategies, on many cases."""

from __future__ import annotations

from typing import Any

from hpo_bohb.options import BOHBOptions, HyperBandOptions, RandomOptions, abilities
from hpo_bohb.plugin import build

from hpo_core.plugin import Problem, Strategy
from hpo_core.testing import StrategyContract


class Contract(StrategyContract):
    examples = 60
    long_runs = (60,)
    given: Any = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, self.given)


class TestBOHB(Contract):
    given = BOHBOptions()
    capabilities = abilities(given)
    options = BOHBOptions


class TestBOHBWithoutRandomPicks(Contract):
    given = BOHBOptions(num_samples=4, random_fraction=0.0)
    capabilities = abilities(given)
    options = BOHBOptions


class TestTrainingAnew(Contract):
    given = BOHBOptions(num_samples=4, resume=False)
    capabilities = abilities(given)
    options = BOHBOptions


class TestTwoBrackets(Contract):
    given = HyperBandOptions(n_iterations=2)
    capabilities = abilities(given)
    options = HyperBandOptions


class TestHyperBand(Contract):
    given = HyperBandOptions(eta=2.5)
    capabilities = abilities(given)
    options = HyperBandOptions


class TestRandomSearch(Contract):
    given = RandomOptions()
    capabilities = abilities(given)
    options = RandomOptions


del Contract, StrategyContract  # only what is named above is collected
