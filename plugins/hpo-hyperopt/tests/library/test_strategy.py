"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import hyperopt
import numpy as np
import pytest
from hpo_hyperopt.options import TPE, Anneal, Options, Random
from hpo_hyperopt.plugin import build
from hpo_hyperopt.strategy import ALGORITHMS
from hyperopt import anneal, hp, tpe

from hpo_core.testing import (
    SHORT_CHECKS,
    VALLEY,
    InstalledContract,
    other_defaults,
    valley,
    valley_points,
)


def ours(options: Options, trials: int) -> list[list[float]]:
    return valley_points(build(VALLEY, options), trials)


class TestTPE(InstalledContract):
    strategy = "hyperopt:tpe"
    given = {"n_startup_jobs": 4}
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
class TestAnneal(InstalledContract):
    strategy = "hyperopt:anneal"
    examples = 2
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
@pytest.mark.parametrize("options", [TPE(), Anneal(), Random()], ids=lambda o: o.algorithm)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    found: list[list[float]] = []

    def objective(values: dict[str, float]) -> float:
        found.append([values["x"], values["y"]])
        return valley(**values)

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
