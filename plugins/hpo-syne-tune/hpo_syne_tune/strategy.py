"""Syne Tune's searchers as strategies (Salinas et al. 2022, AutoML-Conf)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import msgspec
from syne_tune.config_space import choice, uniform
from syne_tune.optimizer.schedulers.searchers.bore.bore import Bore
from syne_tune.optimizer.schedulers.searchers.kde.kde_searcher import KernelDensityEstimator
from syne_tune.optimizer.schedulers.searchers.regularized_evolution import RegularizedEvolution

from hpo_core.plugin import AskTell, Problem
from hpo_syne_tune.options import Options, check

SEARCHERS: dict[str, Any] = {
    each.__name__: each for each in (Bore, KernelDensityEstimator, RegularizedEvolution)
}


class SyneTune(AskTell):
    """A searcher of Syne Tune: numbers are `uniform` from 0 to 1, choices are `choice`.

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
        """Create the searcher."""
        self._names = [f"{place:04}" for place in range(dimensions)]
        space = {
            name: uniform(0.0, 1.0) if size is None else choice(list(range(size)))
            for name, size in zip(self._names, self.cube.choices, strict=True)
        }
        given = {k: v for k, v in msgspec.structs.asdict(self.options).items() if v is not None}
        self._searcher = SEARCHERS[self.options.searcher](
            space, random_seed=self.problem.seed % 2**32, **given
        )
        self._told = 0

    def suggest(self) -> Any:
        """Ask for a configuration."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of statsmodels and numpy, where a density is fitted
            return self._searcher.suggest()

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a configuration."""
        return self.cube.point_of([candidate[name] for name in self._names])

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the loss of a configuration."""
        self._searcher.on_trial_complete(self._told, candidate, loss)
        self._told += 1

    def foreign(self, point: list[float], loss: float) -> None:
        """Tell the loss of a point that was enqueued."""
        self.learn(dict(zip(self._names, self.cube.numbered(point), strict=True)), loss)
