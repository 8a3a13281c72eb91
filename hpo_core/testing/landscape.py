"""The losses of a simulated study: a fixed function, ties, or enormous numbers."""

from __future__ import annotations

import enum

from hpo_core.model.values import Configuration, Value
from hpo_core.testing.spaces import uniform

ENORMOUS = 1e300
"""The size of an enormous loss: its square is not a finite float."""


class Landscape(enum.Enum):
    """The distribution of losses; each loss depends only on its configuration and iteration."""

    USUAL = "from 0 to 2"
    EQUAL = "all equal"
    ENORMOUS = "up to 1e300, of either sign"

    def loss(self, objective: int, configuration: Configuration, iteration: int) -> float:
        """Return the loss of a configuration at an iteration, for one of the objectives."""
        if self is Landscape.EQUAL:
            return 0.5
        values = [(name, _with_sorted_keys(configuration[name])) for name in sorted(configuration)]
        chance = uniform(objective, values)
        if self is Landscape.ENORMOUS:
            return (1 - 2 * (chance > 0.5)) * ENORMOUS if chance < 0.7 else ENORMOUS * (chance - 1)
        return round(chance + 1 / (1 + iteration), 4)


def _with_sorted_keys(value: Value) -> Value:
    """Return a value with the keys of its tables sorted: equal values have the same loss."""
    if isinstance(value, list):
        return [_with_sorted_keys(each) for each in value]
    if isinstance(value, dict):
        return {key: _with_sorted_keys(value[key]) for key in sorted(value)}
    return value
