"""The main variants keep the contract of strategies, its recovery at every point included.

These are a few cases for each check; `long/test_contract.py` draws many, for every variant.
"""

from __future__ import annotations

from typing import Any

from hpo_bohb.options import BOHBOptions, HyperBandOptions, abilities
from hpo_bohb.plugin import build

from hpo_core.plugin import Problem, Strategy
from hpo_core.testing import StrategyContract


class Contract(StrategyContract):
    examples = 3
    long_runs: Any = ()
    given: Any = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, self.given)


class TestBOHB(Contract):
    """With a model as soon as there can be one, and no random picks from then on."""

    long_runs = (60,)
    given = BOHBOptions(num_samples=4, random_fraction=0.0)
    capabilities = abilities(given)
    options = BOHBOptions


class WithoutProcesses(Contract):
    """Those of `long/test_contract.py` start some for each variant, which takes seconds."""

    test_another_process_gives_the_same_suggestions = None


class TestHyperBand(WithoutProcesses):
    given = HyperBandOptions()
    capabilities = abilities(given)
    options = HyperBandOptions


del Contract, WithoutProcesses, StrategyContract  # only what is named above is collected
