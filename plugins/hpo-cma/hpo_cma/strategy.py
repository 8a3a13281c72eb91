"""pycma's CMA-ES as a strategy (Hansen 2016, arXiv:1604.00772)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cma
import numpy as np

from hpo_cma.options import Options, check
from hpo_core.plugin import GenerationAskTell, Problem


class PyCMA(GenerationAskTell):
    """CMA-ES: a generation is suggested, and the distribution adapted once all of it is told.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range.
    """

    least_dimensions = 2  # pycma refuses a single one

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the evolution strategy, in the middle of the cube."""
        self._dimensions = dimensions
        self._restarts = self.options.restarts
        # To pycma, a seed of 0 is the time, and nan the global stream, which is the study's here.
        self._begin(self.options.popsize, self.problem.seed % 2**32 or math.nan)

    def generation(self) -> Sequence[Sequence[float]]:
        """Draw a generation from the distribution."""
        points: list[Sequence[float]] = self._strategy.ask()
        self._generation = points
        return points

    def advance(self, losses: list[float]) -> None:
        """Adapt the distribution, or restart if it has converged."""
        self._strategy.tell(self._generation, losses)
        if self._restarts and self._strategy.stop():
            self._restarts -= 1
            self._begin(self._strategy.popsize * self.options.incpopsize, math.nan)

    def _begin(self, popsize: int | None, seed: float) -> None:
        given = {
            "bounds": [0.0, 1.0],
            "seed": seed,
            "verbose": -10,
            "CMA_active": self.options.CMA_active,
            "CMA_diagonal": self.options.CMA_diagonal,
            "CMA_elitist": self.options.CMA_elitist,
        }
        if popsize is not None:
            given["popsize"] = popsize
        middle = np.full(self._dimensions, 0.5)
        self._strategy = cma.CMAEvolutionStrategy(middle, self.options.sigma0, given)
