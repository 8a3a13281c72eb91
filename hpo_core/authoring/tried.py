"""The configurations that have been tried, with their losses, and new random ones."""

from __future__ import annotations

import random
from typing import TypeAlias

from hpo_core.model.errors import StrategyError
from hpo_core.model.lattice import Lattice
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration, identity

DRAWS = 1_000
"""Maximum number of random configurations drawn to find a new allowed one."""

Key: TypeAlias = frozenset[tuple[str, tuple[type, object]]]


class Tried:
    """The configurations of a study that have been tried.

    Args:
        space: The search space.
        seed: The study's seed.
        repeats: Whether configurations may be tried again.

    Attributes:
        worst: The worst loss so far, or None.
    """

    def __init__(self, space: SearchSpace, seed: int, *, repeats: bool) -> None:
        self.worst: float | None = None
        self._space = space
        self._seed = seed
        self._repeats = repeats
        self._lattice = Lattice(space) if space.is_finite and not repeats else None
        self._losses: dict[Key, float | None] = {}  # None: running or failed

    @property
    def is_all(self) -> bool:
        """Whether all configurations have been tried."""
        return self._lattice is not None and len(self._losses) >= self._lattice.size

    def add(self, configuration: Configuration, loss: float | None = None) -> None:
        """Record that a configuration is tried, or its loss."""
        key = key_of(configuration)
        if loss is None:
            self._losses.setdefault(key, None)
        else:
            self._losses[key] = loss
            self.worst = loss if self.worst is None else max(self.worst, loss)

    def may_run(self, configuration: Configuration) -> bool:
        """Return whether an allowed configuration may be tried."""
        return self._repeats or key_of(configuration) not in self._losses

    def loss_of(self, configuration: Configuration) -> float | None:
        """Return the loss of a tried configuration, or None."""
        return self._losses[key_of(configuration)]

    def draw(self, trial_id: int) -> Configuration:
        """Return a random configuration that may be tried or, if none is found, any allowed one.

        Raises:
            StrategyError: If no allowed configuration is found.
        """
        stream = random.Random(f"{self._seed} {trial_id}")
        known: Configuration | None = None
        for _ in range(DRAWS):
            drawn = self._space.draw(stream.random)
            if not self._space.is_forbidden(drawn):
                if self.may_run(drawn):
                    return drawn
                known = drawn
        if self._lattice is not None and not self.is_all:
            size, begin = self._lattice.size, int(stream.random() * self._lattice.size)
            numbers = ((begin + place) % size for place in range(size))
            return next(c for c in map(self._lattice.__getitem__, numbers) if self.may_run(c))
        if known is None:
            raise StrategyError(
                f"trial {trial_id}: {DRAWS:,} random configurations in a row were forbidden; leave "
                "those values out of the parameters instead"
            )
        return known


def key_of(configuration: Configuration) -> Key:
    """Return a key of a configuration that distinguishes 1, 1.0 and True."""
    return frozenset((name, identity(value)) for name, value in configuration.items())
