"""The main variants keep the contract of strategies, their recovery at every point included.

These are a few cases for each check; `long/test_contract.py` draws many, for every variant.
"""

from __future__ import annotations

from typing import Any

from hpo_asha.options import AshaOptions, HyperbandOptions, MedianOptions, PBTOptions
from hpo_asha.plugin import VARIANTS, build

from hpo_core.plugin import Problem, Strategy
from hpo_core.testing import StrategyContract

CAPABILITIES = {options: can for _, options, _, can in VARIANTS}


class Contract(StrategyContract):
    examples = 2
    long_runs: Any = ()
    given: Any = None
    test_cost_of_an_ask = None  # it measures Optuna, and fails never
    test_another_process_gives_the_same_suggestions = None  # it starts processes

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, self.given)


class TestAsha(Contract):
    long_runs = (60,)
    capabilities = CAPABILITIES[AshaOptions]
    options = AshaOptions
    given = AshaOptions()


class TestHyperband(Contract):
    capabilities = CAPABILITIES[HyperbandOptions]
    options = HyperbandOptions
    given = HyperbandOptions(eta=2)


class TestMedian(Contract):
    capabilities = CAPABILITIES[MedianOptions]
    options = MedianOptions
    given = MedianOptions(min_trials=1)


class TestPBT(Contract):
    capabilities = CAPABILITIES[PBTOptions]
    options = PBTOptions
    given = PBTOptions(population_size=3, quantile_fraction=0.4)


del Contract, StrategyContract  # only what is named above is collected
