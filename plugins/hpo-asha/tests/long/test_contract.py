"""Every variant keeps the contract of strategies, with the kit's default number of cases."""

from __future__ import annotations

from typing import Any

from hpo_asha.options import AshaOptions, HyperbandOptions, MedianOptions, PBTOptions, ShaOptions
from hpo_asha.plugin import VARIANTS, build

from hpo_core.plugin import Problem, Strategy, StrategyChoice
from hpo_core.testing import StrategyContract

CAPABILITIES = {options: can for _, options, _, can in VARIANTS}
TPE = StrategyChoice("optuna:tpe", {"n_startup_trials": 3})


class Contract(StrategyContract):
    long_runs = (60,)
    given: Any = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, self.given)


class TestAsha(Contract):
    capabilities = CAPABILITIES[AshaOptions]
    options = AshaOptions
    given = AshaOptions()


class TestAshaOfTheStoppingType(Contract):
    capabilities = CAPABILITIES[AshaOptions]
    options = AshaOptions
    given = AshaOptions(type="stopping", eta=2)


class TestAshaOverTPE(Contract):
    capabilities = CAPABILITIES[AshaOptions]
    options = AshaOptions
    given = AshaOptions(searcher=TPE)


class TestHyperband(Contract):
    capabilities = CAPABILITIES[HyperbandOptions]
    options = HyperbandOptions
    given = HyperbandOptions(eta=2)


class TestHyperbandOfTheStoppingType(Contract):
    capabilities = CAPABILITIES[HyperbandOptions]
    options = HyperbandOptions
    given = HyperbandOptions(type="stopping")


class TestSha(Contract):
    capabilities = CAPABILITIES[ShaOptions]
    options = ShaOptions
    given = ShaOptions()


class TestMedian(Contract):
    capabilities = CAPABILITIES[MedianOptions]
    options = MedianOptions
    given = MedianOptions(min_trials=1)


class TestPBT(Contract):
    capabilities = CAPABILITIES[PBTOptions]
    options = PBTOptions
    given = PBTOptions(population_size=3, quantile_fraction=0.4)


class TestPBTOverTPE(Contract):
    capabilities = CAPABILITIES[PBTOptions]
    options = PBTOptions
    given = PBTOptions(searcher=TPE, population_size=4, quantile_fraction=0.3)


del Contract, StrategyContract  # only what is named above is collected
