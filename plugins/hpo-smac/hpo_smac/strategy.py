"""SMAC3's facades as strategies (Lindauer et al. 2022, JMLR 23)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ConfigSpace
import smac
from smac.runhistory.dataclasses import TrialInfo, TrialValue
from smac.runhistory.enumerations import StatusType

from hpo_core.plugin import AskTell, Problem
from hpo_smac.options import Forest, Options, check


class SMAC(AskTell):
    """A facade of SMAC: numbers are `Float` from 0 to 1, choices are `Categorical`.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the facade; the files that it writes at that are removed at once."""
        self._names = [f"{place:04}" for place in range(dimensions)]
        self._space = ConfigSpace.ConfigurationSpace(seed=self.problem.seed % 2**32)
        for name, size in zip(self._names, self.cube.choices, strict=True):
            self._space.add(
                ConfigSpace.Float(name, (0.0, 1.0))
                if size is None
                else ConfigSpace.Categorical(name, list(range(size)))
            )
        with tempfile.TemporaryDirectory() as folder:
            scenario = smac.Scenario(
                self._space,
                deterministic=True,
                n_trials=self.options.n_trials,
                seed=self.problem.seed % 2**32,
                output_directory=Path(folder),
            )
            self._facade = _facade(scenario, self.options)

    def suggest(self) -> Any:
        """Ask for a trial; None if SMAC finds no further configuration."""
        try:
            return self._facade.ask()
        except StopIteration:
            return None

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a trial."""
        return self.cube.point_of([candidate.config[name] for name in self._names])

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the loss of a trial."""
        self._facade.tell(candidate, TrialValue(cost=loss), save=False)

    def failed(self, candidate: Any, worst: float) -> None:
        """Tell that a trial has crashed, with the worst loss so far."""
        self._facade.tell(candidate, TrialValue(cost=worst, status=StatusType.CRASHED), save=False)

    def foreign(self, point: list[float], loss: float) -> None:
        """Tell the loss of a point that was enqueued."""
        values = dict(zip(self._names, self.cube.numbered(point), strict=True))
        configuration = ConfigSpace.Configuration(self._space, values)
        self._facade.tell(TrialInfo(configuration, seed=0), TrialValue(cost=loss), save=False)


def with_ordered_search(maximizer: Any) -> Any:
    """Let the local search of a maximizer start from its configurations in the order of values.

    SMAC takes them from a set, whose order is another one in each process (PYTHONHASHSEED): its
    own runs can't be repeated, and a study could not be resumed.
    """
    search: Any = maximizer._local_search  # SMAC has no public name for it
    unordered = search._get_init_points_from_previous_configs

    def ordered(*arguments: Any) -> list[Any]:
        return sorted(unordered(*arguments), key=lambda found: found.get_array().tolist())

    search._get_init_points_from_previous_configs = ordered
    return maximizer


def _facade(scenario: Any, options: Any) -> Any:
    """Return the facade with the options."""
    is_forest = isinstance(options, Forest)
    made = smac.HyperparameterOptimizationFacade if is_forest else smac.BlackBoxFacade
    return made(
        scenario,
        model=made.get_model(scenario, **({"n_trees": options.n_trees} if is_forest else {})),
        acquisition_function=made.get_acquisition_function(scenario, xi=options.xi),
        acquisition_maximizer=with_ordered_search(
            made.get_acquisition_maximizer(
                scenario,
                challengers=options.challengers,
                local_search_iterations=options.local_search_iterations,
            )
        ),
        initial_design=made.get_initial_design(
            scenario,
            n_configs=options.n_configs,
            n_configs_per_hyperparameter=options.n_configs_per_hyperparameter,
            max_ratio=options.max_ratio,
        ),
        random_design=made.get_random_design(scenario, probability=options.probability),
        config_selector=made.get_config_selector(
            scenario, retrain_after=options.retrain_after, retries=options.retries
        ),
        logging_level=False,
    )
