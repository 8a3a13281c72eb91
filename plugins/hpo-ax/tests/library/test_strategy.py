"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

import pytest
from ax.api.client import Client
from ax.api.configs import RangeParameterConfig
from hpo_ax.options import Fast, Options, RandomSearch
from hpo_ax.plugin import build

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


class TestRandom(StrategyContract):
    capabilities = AskTell.capabilities
    options = RandomSearch
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, RandomSearch())


@pytest.mark.parametrize(
    ("options", "trials"), [(Fast(), 10), (RandomSearch(), 20)], ids=["fast", "random"]
)
def test_suggestions_are_those_of_its_own_loop(options: Options, trials: int) -> None:
    native = Client(random_seed=7)
    native.configure_experiment(
        [RangeParameterConfig(name, (0.0, 1.0), parameter_type="float") for name in "xy"]
    )
    native.configure_optimization(objective="-loss")
    native.configure_generation_strategy(method=options.method, initialization_random_seed=7)
    found = []
    for _ in range(trials):
        [(index, values)] = native.get_next_trials(1).items()
        native.complete_trial(index, {"loss": loss(values["x"], values["y"])})
        found.append([values["x"], values["y"]])
    assert ours(options, trials) == found


def test_the_defaults_are_those_of_the_library() -> None:
    for options in (Fast, RandomSearch):
        assert other_defaults(options, Client.configure_generation_strategy) == []
