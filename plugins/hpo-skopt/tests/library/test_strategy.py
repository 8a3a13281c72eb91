"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import pytest
import skopt
from hpo_skopt.options import GP, ExtraTrees, Options, RandomForest
from hpo_skopt.plugin import build

from hpo_core.plugin import Categorical, Float, SearchSpace
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


@pytest.mark.quick
class TestSmallSpace(InstalledContract):
    """On one small space, so that the model is fitted less often."""

    strategy = "skopt:et"
    given = {"n_initial_points": 9, "acq_func": "EI"}
    spaces = (SearchSpace((Float("x", 0.0, 1.0), Categorical("kind", ("a", "b", "c")))),)
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


class TestExtraTrees(InstalledContract):
    strategy = "skopt:et"
    given = {"n_initial_points": 5, "acq_func": "EI"}
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
@pytest.mark.parametrize(
    "options", [GP(), ExtraTrees(), RandomForest()], ids=lambda o: o.base_estimator
)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    native = skopt.Optimizer(
        [(0.0, 1.0), (0.0, 1.0)], base_estimator=options.base_estimator, random_state=7
    )
    found = []
    for _ in range(14):
        point = native.ask()
        native.tell(point, valley(*point))
        found.append(point)
    assert ours(options, 14) == found


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (GP, ExtraTrees, RandomForest):
        assert other_defaults(options, skopt.Optimizer) == []
