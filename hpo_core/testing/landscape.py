"""What the losses of a study in miniature look like: a fixed function, ties, enormous numbers."""

from __future__ import annotations

import enum

from hpo_core.model.values import Configuration
from hpo_core.testing.spaces import uniform

ENORMOUS = 1e300
"""The size of an enormous loss: its square is no float any more."""


class Landscape(enum.Enum):
    """How losses are distributed; each depends on its configuration and iteration alone."""

    USUAL = "from 0 to 2"
    EQUAL = "all equal"
    ENORMOUS = "up to 1e300, of either sign"

    def loss(self, objective: int, configuration: Configuration, iteration: int) -> float:
        """Return the loss of a configuration at an iteration, for one of the objectives."""
        if self is Landscape.EQUAL:
            return 0.5
        chance = uniform(objective, sorted(configuration.items()))
        if self is Landscape.ENORMOUS:
            return (1 - 2 * (chance > 0.5)) * ENORMOUS if chance < 0.7 else ENORMOUS * (chance - 1)
        return round(chance + 1 / (1 + iteration), 4)
