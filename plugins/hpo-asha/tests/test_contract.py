"""Every variant keeps the contract of strategies, its recovery at every point included.

The cases are few here; ``make test-asha`` draws as many as the kit does by default.
"""

from __future__ import annotations

import os
from typing import Any

from hpo_asha.options import PBT, Asha, Hyperband, Median, Sha
from hpo_asha.plugin import VARIANTS, build

from hpo_core.plugin import Problem, Strategy, StrategyChoice
from hpo_core.testing import StrategyContract

CAPABILITIES = {options: can for _, options, _, can in VARIANTS}
TPE = StrategyChoice("optuna:tpe", {"n_startup_trials": 3})
EXAMPLES = os.environ.get("HPO_KIT_EXAMPLES")


class Contract(StrategyContract):
    examples = int(EXAMPLES or 2)
    given: Any = None

    if (
        EXAMPLES is None
    ):  # the first one measures Optuna, and fails never; the other starts processes
        test_cost_of_an_ask = None
        test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, self.given)


class TestAsha(Contract):
    capabilities = CAPABILITIES[Asha]
    options = Asha
    given = Asha()


class TestAshaOfTheStoppingType(Contract):
    capabilities = CAPABILITIES[Asha]
    options = Asha
    given = Asha(type="stopping", eta=2)


class TestAshaOverTPE(Contract):
    capabilities = CAPABILITIES[Asha]
    options = Asha
    given = Asha(searcher=TPE)


class TestHyperband(Contract):
    capabilities = CAPABILITIES[Hyperband]
    options = Hyperband
    given = Hyperband(eta=2)


class TestHyperbandOfTheStoppingType(Contract):
    capabilities = CAPABILITIES[Hyperband]
    options = Hyperband
    given = Hyperband(type="stopping")


class TestSha(Contract):
    capabilities = CAPABILITIES[Sha]
    options = Sha
    given = Sha()


class TestMedian(Contract):
    capabilities = CAPABILITIES[Median]
    options = Median
    given = Median(min_trials=1)


class TestPBT(Contract):
    capabilities = CAPABILITIES[PBT]
    options = PBT
    given = PBT(population_size=3, quantile_fraction=0.4)


class TestPBTOverTPE(Contract):
    capabilities = CAPABILITIES[PBT]
    options = PBT
    given = PBT(searcher=TPE, population_size=4, quantile_fraction=0.3)


del Contract, StrategyContract  # only what is named above is collected
