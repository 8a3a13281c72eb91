"""`GenerationAskTell`: a strategy based on a library that suggests a generation at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from hpo_core.authoring.ask_tell import AskTell
from hpo_core.contracts.strategy import NoOptions, Problem


class _Candidate(NamedTuple):
    """One configuration of a generation: its place, from 0, and its coordinates."""

    place: int
    point: Sequence[float]


class GenerationAskTell(AskTell):
    """`AskTell` for a library that suggests a generation, and learns all its losses at once.

    Override `setup`, `generation` and `advance`. The configurations of a generation are suggested
    one by one. Once all of them are told, the library advances; before that, further asks wait.

    Args:
        problem: The problem.
        options: The strategy's options.
    """

    def __init__(self, problem: Problem, options: Any = NoOptions()) -> None:  # noqa: B008  # frozen
        self._waiting: deque[_Candidate] = deque()
        self._losses: dict[int, float] = {}
        self._size = 0
        super().__init__(problem, options)

    def generation(self) -> Sequence[Sequence[float]]:
        """Return the points of the library's next generation; none if it has no more."""
        raise NotImplementedError

    def advance(self, losses: list[float]) -> None:
        """Tell the library the losses of the last generation, in its order."""
        raise NotImplementedError

    def suggest(self) -> Any:
        """Return the next candidate of the generation; None until all of it is told."""
        if len(self._losses) == self._size:
            self._waiting = deque(_Candidate(*pair) for pair in enumerate(self.generation()))
            self._losses, self._size = {}, len(self._waiting)
        return self._waiting.popleft() if self._waiting else None

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a candidate."""
        point: Sequence[float] = candidate.point
        return point

    def learn(self, candidate: Any, loss: float) -> None:
        """Keep the loss; with the last one of a generation, tell the library all of them."""
        self._losses[candidate.place] = loss
        if len(self._losses) == self._size:
            self.advance([loss for _, loss in sorted(self._losses.items())])
