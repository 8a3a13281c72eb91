"""A case: a problem, and what happens in its study."""

from __future__ import annotations

import msgspec

from hpo_core.contracts.strategy import Problem, Strategy
from hpo_core.testing.landscape import Landscape
from hpo_core.testing.moves import Move
from hpo_core.testing.simulator import Simulator

SHOWN = 12
"""How many of a long run's last moves are shown."""


class Case(msgspec.Struct, frozen=True):
    """A problem, and what happens in its study.

    Attributes:
        problem: The problem.
        moves: What happens, move by move.
        landscape: What its losses are like.
        long_run: The number of the long run that it is the beginning of; 0 for a short case.
    """

    problem: Problem
    moves: tuple[Move, ...] = ()
    landscape: Landscape = Landscape.USUAL
    long_run: int = 0

    def simulate(self, strategy: Strategy, problem: Problem | None = None) -> Simulator:
        """Play it with a strategy, that was made for its problem or for the one given."""
        return Simulator(strategy, problem or self.problem, self.landscape).play(self.moves)

    def points(self, number: int, limit: int) -> list[int]:
        """Return which of so many points, counted from 1, to interrupt it at: all, or a few."""
        if not self.long_run or number <= limit:
            return list(range(1, number + 1))
        return [number * place // limit for place in range(1, limit + 1)]

    def schedule(self) -> str:
        """Return its moves in words; of a long run the last ones."""
        if not self.long_run:
            return ", ".join(map(str, self.moves))
        last = ", ".join(map(str, self.moves[-SHOWN:]))
        return (
            f"the first {len(self.moves)} moves of long run {self.long_run}, which end with {last}"
        )
