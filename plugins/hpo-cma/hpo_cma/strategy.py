"""pycma's CMA-ES as a strategy (Hansen 2016, arXiv:1604.00772)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import cma
import numpy as np

from hpo_cma.options import Options, check
from hpo_core.plugin import AskTell, Problem


class Candidate(NamedTuple):
    """One configuration of a generation.

    Attributes:
        place: Its place in the generation.
        point: Its coordinates.
    """

    place: int
    point: Any


class PyCMA(AskTell):
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

    def suggest(self) -> Candidate | None:
        """Return the next configuration of the generation; None once all of them are out."""
        return self._waiting.popleft() if self._waiting else None

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate."""
        point: Sequence[float] = candidate.point
        return point

    def learn(self, candidate: Any, loss: float) -> None:
        """Collect the loss; with the last one of a generation, begin the next one."""
        self._losses[candidate.place] = loss
        if len(self._losses) < len(self._generation):
            return
        self._strategy.tell(self._generation, [loss for _, loss in sorted(self._losses.items())])
        if self._restarts and self._strategy.stop():
            self._restarts -= 1
            self._begin(self._strategy.popsize * self.options.incpopsize, math.nan)
        else:
            self._next_generation()

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
        self._next_generation()

    def _next_generation(self) -> None:
        self._generation = self._strategy.ask()
        self._waiting = deque(Candidate(*pair) for pair in enumerate(self._generation))
        self._losses: dict[int, float] = {}
