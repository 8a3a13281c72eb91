"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hpo_pymoo import options as our
from hpo_pymoo.plugin import build
from hpo_pymoo.strategy import ALGORITHMS
from pymoo.core.mixed import MixedVariableGA
from pymoo.core.problem import ElementwiseProblem
from pymoo.core.variable import Real
from pymoo.optimize import minimize

from hpo_core.testing import (
    SHORT_CHECKS,
    VALLEY,
    InstalledContract,
    other_defaults,
    valley,
    valley_points,
)


def ours(options: msgspec.Struct, trials: int) -> list[list[float]]:
    return valley_points(build(VALLEY, options), trials)


@pytest.mark.quick
class TestGA(InstalledContract):
    strategy = "pymoo:ga"
    given = {"pop_size": 8}
    examples = 3
    long_runs = (30,)


class TestMixed(InstalledContract):
    strategy = "pymoo:mixed"
    given = {"pop_size": 8}
    examples = 3
    long_runs = ()


class TestPSO(InstalledContract):
    strategy = "pymoo:pso"
    given = {"pop_size": 6}
    examples = 2
    long_runs = ()
    checks = SHORT_CHECKS


class Native(ElementwiseProblem):
    """The problem in pymoo, which keeps what it evaluates."""

    def __init__(self) -> None:
        super().__init__(n_var=2, n_obj=1, xl=0.0, xu=1.0)
        self.found: list[list[float]] = []

    def _evaluate(self, x: np.ndarray, out: dict[str, float], *_: object, **__: object) -> None:
        self.found.append([float(each) for each in x])
        out["F"] = valley(*x)


class NativeMixed(Native):
    """The same problem with pymoo's variables in place of a vector."""

    def __init__(self) -> None:
        ElementwiseProblem.__init__(
            self, vars={name: Real(bounds=(0.0, 1.0)) for name in "xy"}, n_obj=1
        )
        self.found = []

    def _evaluate(
        self, x: dict[str, float], out: dict[str, float], *_: object, **__: object
    ) -> None:
        super()._evaluate(np.array([x["x"], x["y"]]), out)


OPTIONS = [
    our.GA(pop_size=10),
    our.DE(pop_size=10),
    our.PSO(pop_size=10),
    our.ES(n_offsprings=20, pop_size=4),
    our.G3PCX(pop_size=10),
    our.MixedVariableGA(pop_size=10),
]


@pytest.mark.quick
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: type(options).__name__)
def test_suggestions_are_those_of_its_own_loop(options: msgspec.Struct) -> None:
    is_mixed = isinstance(options, our.MixedVariableGA)
    native = NativeMixed() if is_mixed else Native()
    given = {k: v for k, v in msgspec.structs.asdict(options).items() if v is not None}
    algorithm = MixedVariableGA if is_mixed else ALGORITHMS[type(options).__name__]
    minimize(native, algorithm(**given), ("n_eval", 80), seed=7)
    unique = [each for place, each in enumerate(native.found) if each not in native.found[:place]]
    assert ours(options, len(unique)) == unique


def test_the_defaults_are_those_of_the_library() -> None:
    for name, function in {**ALGORITHMS, "MixedVariableGA": MixedVariableGA}.items():
        assert other_defaults(getattr(our, name), function) == []
