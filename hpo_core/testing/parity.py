"""A study of two numbers, for tests that compare a strategy with its library's own loop."""

from __future__ import annotations

from collections.abc import Callable

from hpo_core.contracts.strategy import Problem, Strategy
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Float
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration
from hpo_core.testing.library import suggestions

VALLEY = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0), Float("y", 0.0, 1.0))),
    objectives=(Objective("loss", "minimize"),),
    seed=7,
)
"""A study of ``x`` and ``y`` from 0 to 1 with the seed 7, which minimizes ``loss``."""


def valley(x: float, y: float) -> float:
    """Return the loss of a point; the least, 0, is at (0.3, 0.18)."""
    return (x - 0.3) ** 2 + 10.0 * (y - 0.6 * x) ** 2


def valley_points(
    strategy: Strategy, trials: int, loss: Callable[[float, float], float] = valley
) -> list[list[float]]:
    """Run trials of `VALLEY` one at a time, and return their points ``[x, y]``.

    Compare them with those of the library's own loop, which has the seed 7 and the bounds 0 and 1.

    Args:
        strategy: A strategy for `VALLEY` that has not been asked yet.
        trials: Maximum number of trials.
        loss: The loss of a point.
    """
    found = suggestions(strategy, lambda values: loss(*_point(values)), trials)
    return [_point(configuration) for configuration in found]


def _point(configuration: Configuration) -> list[float]:
    x, y = configuration["x"], configuration["y"]
    assert isinstance(x, float)
    assert isinstance(y, float)
    return [x, y]
