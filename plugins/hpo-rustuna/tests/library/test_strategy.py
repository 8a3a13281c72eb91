"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import msgspec
import pytest
import rustuna
from hpo_rustuna.options import TPE, CmaEs, Options, Random
from hpo_rustuna.plugin import build

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


class TestTPE(StrategyContract):
    capabilities = AskTell.capabilities
    options = TPE
    examples = 3
    long_runs = (30,)

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, TPE(n_startup_trials=4))


class TestCMAES(StrategyContract):
    capabilities = AskTell.capabilities
    options = CmaEs
    examples = 2
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, CmaEs())


@pytest.mark.parametrize("options", [TPE(), CmaEs(), Random()], ids=lambda o: o.sampler)
def test_suggestions_are_those_of_its_own_loop(options: Options) -> None:
    sampler = getattr(rustuna.samplers, options.sampler)(seed=7)
    native = rustuna.create_study(sampler=sampler)
    found = []
    for _ in range(60):
        trial = native.ask()
        point = [trial.suggest_float("x", 0.0, 1.0), trial.suggest_float("y", 0.0, 1.0)]
        native.tell(trial.number, loss(*point))
        found.append(point)
    assert ours(options, 60) == found


def test_values_on_a_log_scale_are_exactly_those_of_the_library() -> None:
    space = SearchSpace((Float("x", 1e-5, 1.0, log=True),))
    strategy = build(msgspec.structs.replace(PROBLEM, space=space), TPE())
    found = suggestions(strategy, lambda c: float(c["x"]), 40)
    native = rustuna.create_study(sampler=rustuna.samplers.TPESampler(seed=7))
    for configuration in found:
        trial = native.ask()
        assert trial.suggest_float("x", 1e-5, 1.0, log=True) == configuration["x"]
        native.tell(trial.number, configuration["x"])


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (TPE, CmaEs, Random):
        assert other_defaults(options, getattr(rustuna.samplers, options.sampler)) == []
