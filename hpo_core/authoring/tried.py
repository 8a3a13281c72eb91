"""Which configurations have been tried, with their losses, and random ones that have not."""

from __future__ import annotations

import random
from typing import TypeAlias

from hpo_core.model.errors import StrategyError
from hpo_core.model.lattice import Lattice
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration, identity

DRAWS = 1_000
"""So many random configurations are drawn in search of an allowed one that is new."""

Key: TypeAlias = frozenset[tuple[str, tuple[type, object]]]


class Tried:
    """The configurations of a study that have been tried.

    Args:
        space: The search space.
        seed: The study's seed.
        repeats: Whether any may be tried again.

    Attributes:
        worst: The worst loss so far; None if there is none.
    """

    def __init__(self, space: SearchSpace, seed: int, *, repeats: bool) -> None:
        self.worst: float | None = None
        self._space = space
        self._seed = seed
        self._repeats = repeats
        self._lattice = Lattice(space) if space.is_finite and not repeats else None
        self._losses: dict[Key, float | None] = {}  # None: it runs, or has failed

    @property
    def is_all(self) -> bool:
        """Whether nothing is left to try."""
        return self._lattice is not None and len(self._losses) >= self._lattice.size

    def add(self, configuration: Configuration, loss: float | None = None) -> None:
        """Record that a configuration is tried, or the loss that has come of it."""
        key = key_of(configuration)
        if loss is None:
            self._losses.setdefault(key, None)
        else:
            self._losses[key] = loss
            self.worst = loss if self.worst is None else max(self.worst, loss)

    def may_run(self, configuration: Configuration) -> bool:
        """Return whether a configuration, an allowed one, may be tried."""
        return self._repeats or key_of(configuration) not in self._losses

    def loss_of(self, configuration: Configuration) -> float | None:
        """Return the loss of a configuration that has been tried, if it has one."""
        return self._losses[key_of(configuration)]

    def draw(self, trial_id: int) -> Configuration:
        """Return a random configuration that may be tried; if none is found, an allowed one.

        Raises:
            StrategyError: If no allowed one is found.
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
    """Return a configuration as a key that tells 1 from 1.0 and True."""
    return frozenset((name, identity(value)) for name, value in configuration.items())
