"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import cma
import pytest
from hpo_cma.options import Options
from hpo_cma.plugin import build

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


class TestCMA(InstalledContract):
    strategy = "cma"
    examples = 3
    long_runs = (30,)


@pytest.mark.quick
class TestRestarts(InstalledContract):
    strategy = "cma"
    given = {"popsize": 4, "restarts": 2}
    examples = 2
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
def test_suggestions_are_those_of_its_own_loop() -> None:
    native = cma.CMAEvolutionStrategy([0.5, 0.5], 0.3, {"seed": 7, "bounds": [0, 1], "verbose": -9})
    found = []
    while len(found) < 120:
        points = native.ask()
        native.tell(points, [valley(*point) for point in points])
        found += [list(point) for point in points]
    assert ours(Options(), 120) == found[:120]


def test_it_restarts_with_a_larger_population_once_it_has_converged() -> None:
    found = ours(Options(popsize=4, restarts=1, incpopsize=8), 800)
    distances = [abs(x - 0.3) + abs(y - 0.18) for x, y in found]
    assert min(distances) < 1e-6
    converged = next(place for place, each in enumerate(distances) if each < 1e-6)
    assert max(distances[converged:]) > 0.1


def test_the_defaults_are_those_of_the_library() -> None:
    own = {"sigma0", "popsize", "CMA_active", "CMA_diagonal", "CMA_elitist"}
    assert other_defaults(Options, cma.fmin2, own=own) == []
    defaults = cma.CMAOptions.defaults()
    assert defaults["CMA_active"].startswith("True")
    assert defaults["CMA_diagonal"].startswith("0*")
    assert defaults["CMA_elitist"].startswith("False")
    assert defaults["popsize"].startswith("4 + 3")
