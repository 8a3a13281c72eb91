"""Every variant keeps the contract of strategies, its recovery at every point included."""

from __future__ import annotations

from typing import Any

import pytest
from hpo_optuna.options import GP, NSGA2, NSGA3, QMC, TPE, BruteForce, CmaEs, Random
from hpo_optuna.plugin import VARIANTS, build
from hpo_optuna.pruners import Median

from hpo_core.plugin import Capability, Problem, Strategy
from hpo_core.testing import StrategyContract

CAPABILITIES = {options: can for _, options, _, can in VARIANTS}


class Contract(StrategyContract):
    examples = 3
    long_runs: Any = (60,)
    given: Any = None

    # Every variant passes these as well. The first one measures Optuna itself at thousands of
    # trials, which takes minutes; the other starts processes, and test_recovery has some.
    test_cost_of_an_ask = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, self.given)


class TestTPE(Contract):
    capabilities = CAPABILITIES[TPE]
    options = TPE
    given = TPE(n_startup_trials=3)


class TestPrunedTPE(Contract):
    capabilities = CAPABILITIES[TPE] - {Capability.MULTI_OBJECTIVE}
    options = TPE
    given = TPE(n_startup_trials=3, pruner=Median(n_startup_trials=1))


class TestGroupedTPE(Contract):
    capabilities = CAPABILITIES[TPE]
    options = TPE
    given = TPE(n_startup_trials=3, multivariate=True, group=True)


class TestCmaEs(Contract):
    capabilities = CAPABILITIES[CmaEs]
    options = CmaEs
    given = CmaEs(popsize=4)

    @pytest.fixture(autouse=True)
    def _needs(self) -> None:
        pytest.importorskip("cmaes")


class TestGP(Contract):
    capabilities = CAPABILITIES[GP]
    options = GP
    given = GP(n_startup_trials=8)
    examples = 1
    long_runs = ()

    # It passes these too, but they take minutes: each of their many asks fits a Gaussian process.
    test_the_saved_state_is_plain_json = None
    test_different_seeds_give_different_suggestions = None

    @pytest.fixture(autouse=True)
    def _needs(self) -> None:
        pytest.importorskip("torch")


class TestNSGA2(Contract):
    capabilities = CAPABILITIES[NSGA2]
    options = NSGA2
    given = NSGA2(population_size=4)


class TestNSGA3(Contract):
    capabilities = CAPABILITIES[NSGA3]
    options = NSGA3
    given = NSGA3(population_size=4)


class TestQMC(Contract):
    capabilities = CAPABILITIES[QMC]
    options = QMC
    given = QMC()


class TestRandom(Contract):
    capabilities = CAPABILITIES[Random]
    options = Random
    given = Random()


class TestBruteForce(Contract):
    capabilities = CAPABILITIES[BruteForce]
    options = BruteForce
    given = BruteForce()


del Contract, StrategyContract  # only what is named above is collected
