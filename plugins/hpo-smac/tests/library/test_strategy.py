"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

from pathlib import Path

import pytest
import smac
from ConfigSpace import ConfigurationSpace
from hpo_smac.options import BlackBox, Forest, Options
from hpo_smac.plugin import build
from smac.runhistory.dataclasses import TrialValue

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


class TestForest(StrategyContract):
    capabilities = AskTell.capabilities
    options = Forest
    examples = 1
    long_runs = ()
    # Minutes of model fits; `hpo check` runs them.
    test_cost_of_an_ask = None
    test_two_hundred_parameters_are_taken = None
    test_thousands_of_choices_are_taken = None
    test_many_jobs_may_be_pending = None
    test_another_process_gives_the_same_suggestions = None

    def make_strategy(self, problem: Problem) -> Strategy:
        return build(problem, Forest(challengers=50, n_configs=3))


@pytest.mark.parametrize(
    ("options", "facade"),
    [
        (Forest(), smac.HyperparameterOptimizationFacade),
        (BlackBox(n_configs=4), smac.BlackBoxFacade),
    ],
)
def test_suggestions_are_those_of_its_own_loop(
    options: Options, facade: type[smac.BlackBoxFacade], tmp_path: Path
) -> None:
    space = ConfigurationSpace({"x": (0.0, 1.0), "y": (0.0, 1.0)}, seed=7)
    scenario = smac.Scenario(space, deterministic=True, seed=7, output_directory=tmp_path)
    design = facade.get_initial_design(scenario, n_configs=options.n_configs)
    native = facade(scenario, None, initial_design=design, logging_level=False)
    found = []
    trials = 22 if options.n_configs is None else 7
    for _ in range(trials):
        info = native.ask()
        point = [info.config["x"], info.config["y"]]
        native.tell(info, TrialValue(cost=loss(*point)), save=False)
        found.append(point)
    assert ours(options, trials) == found


def test_it_writes_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ours(Forest(n_configs=3), 6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "facade"),
    [(Forest, smac.HyperparameterOptimizationFacade), (BlackBox, smac.BlackBoxFacade)],
)
def test_the_defaults_are_those_of_the_library(
    options: type[Options], facade: type[smac.BlackBoxFacade]
) -> None:
    functions = (
        smac.Scenario,
        facade.get_model,
        facade.get_acquisition_function,
        facade.get_acquisition_maximizer,
        facade.get_initial_design,
        facade.get_random_design,
        facade.get_config_selector,
    )
    assert other_defaults(options, *functions) == []
