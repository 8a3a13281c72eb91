"""The Gaussian process of bayesian-optimization as a strategy (Nogueira 2014)."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from bayes_opt import BayesianOptimization, acquisition

from hpo_bayesopt.options import Options, check
from hpo_core.plugin import AskTell, Problem

ACQUISITION = {
    "ucb": acquisition.UpperConfidenceBound,
    "ei": acquisition.ExpectedImprovement,
    "poi": acquisition.ProbabilityOfImprovement,
}


class BayesOpt(AskTell):
    """Bayesian optimization on the unit cube; choices are positions on an axis.

    With several workers, running configurations are assumed to have the loss that `strategy`
    names, by the library's own `ConstantLiar`.

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
        options = self.options
        exploration = "kappa" if options.acquisition_function == "ucb" else "xi"
        function: Any = ACQUISITION[options.acquisition_function](
            **{exploration: getattr(options, exploration)},
            exploration_decay=options.exploration_decay,
            exploration_decay_delay=options.exploration_decay_delay,
        )
        if self.problem.workers > 1:
            function = acquisition.ConstantLiar(function, strategy=options.strategy)
        self._names = [f"{place:04}" for place in range(dimensions)]
        self._optimizer = BayesianOptimization(
            None,
            dict.fromkeys(self._names, (0.0, 1.0)),
            acquisition_function=function,
            random_state=self.problem.seed % 2**32,
            verbose=0,
            allow_duplicate_points=True,
        )
        self._initial = options.init_points

    def suggest(self) -> Any:
        """Ask for a point: a random one at the start, and while no loss is known."""
        if self._initial > 0 or not len(self._optimizer.space):
            self._initial -= 1
            return self._optimizer.random_sample(1)[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the fit
            return self._optimizer.suggest()

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate."""
        return [candidate[name] for name in self._names]

    def learn(self, candidate: Any, loss: float) -> None:
        """Register the result of a candidate; the library maximizes."""
        self._register(candidate, loss)

    def foreign(self, point: list[float], loss: float) -> None:
        """Register the result of a point that was enqueued."""
        self._register(np.array(point), loss)

    def _register(self, point: Any, loss: float) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints that a point is not unique
            self._optimizer.register(point, -loss)
