"""scikit-optimize's `Optimizer` as a strategy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import skopt
from skopt.space import Categorical, Real

from hpo_core.plugin import AskTell, Problem
from hpo_skopt.options import Options, check


class Skopt(AskTell):
    """Bayesian optimization: numbers are `Real` from 0 to 1, choices are `Categorical`.

    While candidates wait for their losses, a copy of the optimizer is told the least loss so far
    for each of them (the constant liar of Ginsbourger et al. 2010), and asked.

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
        """Create the optimizer."""
        self._optimizer = skopt.Optimizer(
            [
                Real(0.0, 1.0) if size is None else Categorical(range(size))
                for size in self.cube.choices
            ],
            base_estimator=self.options.base_estimator,
            random_state=self.problem.seed % 2**32,
            **msgspec.structs.asdict(self.options),
        )
        self._pending: list[list[Any]] = []

    def suggest(self) -> list[Any]:
        """Ask for a point."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of points that are asked again, which AskTell handles
            optimizer = self._optimizer
            if self._pending and optimizer.models:
                optimizer = optimizer.copy(random_state=optimizer.rng.randint(2**31 - 1))
                lies = [float(np.min(optimizer.yi))] * len(self._pending)
                optimizer.tell(list(self._pending), lies)
            candidate: list[Any] = optimizer.ask()
        self._pending.append(candidate)
        return candidate

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate."""
        return self.cube.point_of(candidate)

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the loss of a candidate."""
        self._pending.remove(candidate)
        self._tell(candidate, loss)

    def foreign(self, point: list[float], loss: float) -> None:
        """Tell the loss of a point that was enqueued."""
        self._tell(self.cube.numbered(point), loss)

    def _tell(self, point: list[Any], loss: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the model's fit
            self._optimizer.tell(point, loss)
