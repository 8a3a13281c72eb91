"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import msgspec
import pytest
from bayes_opt import BayesianOptimization, acquisition
from hpo_bayesopt.options import Options
from hpo_bayesopt.plugin import build

from hpo_core.plugin import Int, SearchSpace
from hpo_core.testing import (
    SHORT_CHECKS,
    VALLEY,
    InstalledContract,
    other_defaults,
    suggestions,
    valley,
    valley_points,
)


def ours(options: Options, trials: int) -> list[list[float]]:
    return valley_points(build(VALLEY, options), trials)


@pytest.mark.quick
class TestSmallSpace(InstalledContract):
    """On one small space, so that the model is fitted less often."""

    strategy = "bayesopt"
    given = {"init_points": 9}
    spaces = (VALLEY.space,)
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


class TestBayesOpt(InstalledContract):
    strategy = "bayesopt"
    given = {"init_points": 5}
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("ucb", acquisition.UpperConfidenceBound(kappa=2.576)),
        ("ei", acquisition.ExpectedImprovement(xi=0.01)),
        ("poi", acquisition.ProbabilityOfImprovement(xi=0.01)),
    ],
)
def test_suggestions_are_those_of_its_own_loop(
    name: str, function: acquisition.AcquisitionFunction
) -> None:
    native = BayesianOptimization(
        lambda x, y: -valley(x, y),
        {"x": (0.0, 1.0), "y": (0.0, 1.0)},
        acquisition_function=function,
        random_state=7,
        verbose=0,
        allow_duplicate_points=True,
    )
    native.maximize(init_points=5, n_iter=7)
    found = [[float(each["params"]["x"]), float(each["params"]["y"])] for each in native.res]
    assert ours(Options(acquisition_function=name), 12) == found


def test_it_prints_nothing_where_a_point_is_not_unique(capsys: pytest.CaptureFixture[str]) -> None:
    space = SearchSpace((Int("n", 0, 3),))
    strategy = build(msgspec.structs.replace(VALLEY, space=space), Options(init_points=2))
    assert len(suggestions(strategy, lambda c: 1.0, 9)) == 4
    strategy.foreign([0.5], 1.0)
    strategy.foreign([0.5], 1.0)
    assert capsys.readouterr().out == ""


def test_the_defaults_are_those_of_the_library() -> None:
    own = {"acquisition_function", "xi"}  # the library's classes require xi; its docs have 0.01
    functions = (
        BayesianOptimization.maximize,
        acquisition.UpperConfidenceBound,
        acquisition.ConstantLiar,
    )
    assert other_defaults(Options, *functions, own=own) == []
