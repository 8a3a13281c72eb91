"""On the real library: the contract, parity with its own loop, and its options."""

from __future__ import annotations

from pathlib import Path

import pytest
import smac
from ConfigSpace import ConfigurationSpace
from hpo_smac.options import BlackBox, Forest, Options
from hpo_smac.plugin import build
from hpo_smac.strategy import with_ordered_search
from smac.runhistory.dataclasses import TrialValue

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
class TestForest(InstalledContract):
    strategy = "smac"
    given = {"challengers": 50, "n_configs": 3, "n_trees": 3}
    examples = 1
    long_runs = ()
    checks = SHORT_CHECKS


@pytest.mark.quick
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
    native = facade(
        scenario,
        None,
        initial_design=design,
        acquisition_maximizer=with_ordered_search(facade.get_acquisition_maximizer(scenario)),
        logging_level=False,
    )
    found = []
    trials = 22 if options.n_configs is None else 7
    for _ in range(trials):
        info = native.ask()
        point = [info.config["x"], info.config["y"]]
        native.tell(info, TrialValue(cost=valley(*point)), save=False)
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
