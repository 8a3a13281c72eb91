"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import cma
from hpo_cma.options import Options
from hpo_cma.plugin import build

from hpo_core.plugin import AskTell, Float, Objective, Problem, SearchSpace, Strategy
from hpo_core.testing import StrategyContract, other_defaults, suggestions

PROBLEM = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0), Float("y", 0.0, 1.0))),
    objectives=(Objective("loss", "minimize"),),
    seed=7,
)


def loss(x: float, y: float) -> float:
    return (x - 0.3) ** 2 + 10.0 * (y - 0.6 * x) ** 2


def ours(options: Options, trials: int) -> list[list[float]]:
    strategy = build(PROBLEM, options)
    found = suggestions(strategy, lambda c: loss(c["x"], c["y"]), trials)  # type: ignore[arg-type]
    return [[c["x"], c["y"]] for c in found]  # type: ignore[misc]


class TestCMA(StrategyContract):
    capabilities = AskTell.capabilities
    options = Options
    examples = 3
    long_runs = (30,)

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, Options())


class TestRestarts(StrategyContract):
    capabilities = AskTell.capabilities
    options = Options
    examples = 2
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, Options(popsize=4, restarts=2))


def test_suggestions_are_those_of_its_own_loop() -> None:
    native = cma.CMAEvolutionStrategy([0.5, 0.5], 0.3, {"seed": 7, "bounds": [0, 1], "verbose": -9})
    found = []
    while len(found) < 120:
        points = native.ask()
        native.tell(points, [loss(*point) for point in points])
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
