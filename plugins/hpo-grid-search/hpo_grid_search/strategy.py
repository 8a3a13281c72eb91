"""Grid search: enumerates a lattice of the space, and stores only its position."""

from __future__ import annotations

from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Configuration,
    Exhausted,
    History,
    InvalidInput,
    Lattice,
    Problem,
    Resume,
    SavedState,
    Start,
    StrategyError,
)
from hpo_grid_search.options import GridOptions, faults


class GridSearch(BaseStrategy):
    """Suggest every configuration of the grid once, in the lattice's order, until exhausted.

    A point of the grid that has already been run (enqueued by a user) is not run again, and a point
    that violates a linear inequality is omitted. The position on the grid follows from the last
    suggestion alone, so no state is saved, and restoring is fast.

    Args:
        problem: The study.
        options: The number of points of each Float without a step.

    Raises:
        InvalidInput: If a Float has neither a step nor points, or points are invalid.
    """

    handles_attempts = True  # it learns nothing from reports

    def __init__(self, problem: Problem, options: GridOptions) -> None:
        if wrong := list(faults(problem.space, options)):
            raise InvalidInput(wrong)
        self._space = problem.space
        self._lattice = Lattice(problem.space, options.points)
        self._next = 0
        self._adopted: set[int] = set()  # later points that have already been run

    def ask(self, trial_id: int, /) -> Start | Exhausted:
        """Suggest the next point of the grid."""
        while self._next < self._lattice.size:
            self._next += 1
            configuration = self._lattice[self._next - 1]
            if self._next - 1 in self._adopted:
                self._adopted.remove(self._next - 1)
            elif not self._space.is_forbidden(configuration):
                return Start(configuration)
        return Exhausted()

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        """Skip the suggestion's point later, if it is a point of the grid after the position."""
        index = self._index(suggestion)
        if index is not None and index >= self._next:
            self._adopted.add(index)

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Continue after the last suggestion.

        Raises:
            StrategyError: If the last suggestion is not a point of this grid.
        """
        asked = [event for event in history if isinstance(event, Asked)]
        own = [event for event in asked if not event.adopted]
        if own:
            last = self._index(own[-1].suggestion)
            if last is None:
                raise StrategyError(
                    f"restoring the grid: its last suggestion, of trial {own[-1].trial_id}, is "
                    "stored as a point that this grid does not have; was the plugin installed in "
                    "another version?"
                )
            self._next = last + 1
        for event in asked:
            if event.adopted:
                self.adopt(event.trial_id, event.suggestion)

    def _index(self, suggestion: Start | Resume) -> int | None:
        configuration: Configuration | None = suggestion.configuration
        return None if configuration is None else self._lattice.index(configuration)
