"""A case: a problem, and the moves of its study."""

from __future__ import annotations

import msgspec

from hpo_core.contracts.strategy import Problem, Strategy
from hpo_core.testing.landscape import Landscape
from hpo_core.testing.moves import Move
from hpo_core.testing.simulator import Simulator

SHOWN = 12
"""Number of moves at the end of a long run that are shown."""


class Case(msgspec.Struct, frozen=True):
    """A problem, and the moves of its study.

    Attributes:
        problem: The problem.
        moves: The events of the study, in order.
        landscape: The losses of the study.
        long_run: Number of the long run of which this is a prefix; 0 for a short case.
    """

    problem: Problem
    moves: tuple[Move, ...] = ()
    landscape: Landscape = Landscape.USUAL
    long_run: int = 0

    def simulate(self, strategy: Strategy, problem: Problem | None = None) -> Simulator:
        """Simulate it with a strategy that was built for its problem, or for the given one."""
        return Simulator(strategy, problem or self.problem, self.landscape).play(self.moves)

    def points(self, number: int, limit: int) -> list[int]:
        """Return the points, counted from 1, at which to interrupt it: all of them, or a few."""
        if not self.long_run or number <= limit:
            return list(range(1, number + 1))
        return [number * place // limit for place in range(1, limit + 1)]

    def schedule(self) -> str:
        """Return its moves as text; for a long run only the last ones."""
        if not self.long_run:
            return ", ".join(map(str, self.moves))
        last = ", ".join(map(str, self.moves[-SHOWN:]))
        return (
            f"the first {len(self.moves)} moves of long run {self.long_run}, which end with {last}"
        )
