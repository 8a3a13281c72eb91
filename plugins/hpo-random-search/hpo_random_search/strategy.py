"""Random search: one strategy for infinite spaces, and one for finite spaces."""

from __future__ import annotations

from hpo_core.plugin import (
    Asked,
    BaseStrategy,
    Configuration,
    Exhausted,
    History,
    Lattice,
    Problem,
    Resume,
    SavedState,
    Start,
    StrategyError,
)
from hpo_random_search.draws import draw, permutation

FORBIDDEN_IN_A_ROW = 10_000
"""Number of forbidden draws in a row after which an infinite space counts as entirely forbidden."""

SEEN_IN_A_ROW = 8
"""Number of unusable draws in a row after which a finite space is searched for the next new
point.
"""


VIOLATIONS_IN_A_ROW = 1_000_000
"""The same for a finite space, whose configurations are walked through one after the other."""


class RandomSearch(BaseStrategy):
    """Independent draws from an infinite space; trial n is a function of the seed and n alone.

    Each active parameter is uniform on its own scale. Forbidden configurations are drawn again. A
    repeated configuration has probability 0, except in branches of a conditional space without a
    continuous parameter.

    Args:
        problem: The study.
    """

    handles_attempts = True  # it learns nothing from reports

    def __init__(self, problem: Problem) -> None:
        self._space = problem.space
        self._seed = problem.seed

    def ask(self, trial_id: int, /) -> Start:
        """Suggest this trial's draw.

        Raises:
            StrategyError: If 10,000 draws in a row are forbidden.
        """
        for attempt in range(FORBIDDEN_IN_A_ROW):
            configuration = draw(self._space, self._seed, trial_id, attempt)
            if not self._space.is_forbidden(configuration):
                return Start(configuration)
        raise _nearly_all_forbidden(trial_id, FORBIDDEN_IN_A_ROW)

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Do nothing: no draw depends on an earlier one."""


class FiniteRandomSearch(BaseStrategy):
    """Draw from a finite space without repetition, until it is exhausted.

    The suggestion for a trial is a function of the seed, its number and the *set* of configurations
    seen so far (suggested or adopted), so restoring needs only the history. Draws are as in
    `RandomSearch`; if several in a row are forbidden or already seen, the next new configuration on
    a random walk through the space is used. Memory grows with the trials, not with the space.
    The number of configurations that satisfy linear inequalities is known at the end of the walk.

    Args:
        problem: The study.

    Raises:
        InvalidInput: If everything is forbidden.
    """

    handles_attempts = True  # it learns nothing from reports

    def __init__(self, problem: Problem) -> None:
        self._space = problem.space
        self._seed = problem.seed
        self._lattice = Lattice(problem.space)
        self._seen: set[int] = set()
        self._walk = permutation(self._lattice.size, problem.seed)
        self._walked = 0  # all earlier positions of the walk are seen: a shortcut, not state

    def ask(self, trial_id: int, /) -> Start | Exhausted:
        """Suggest a new configuration.

        Raises:
            StrategyError: If 1,000,000 configurations in a row violate an inequality.
        """
        if len(self._seen) == self._lattice.size:
            return Exhausted()
        for attempt in range(SEEN_IN_A_ROW):
            configuration = draw(self._space, self._seed, trial_id, attempt)
            index = self._lattice.index(configuration)
            if index is not None and index not in self._seen and self._takes(configuration):
                self._seen.add(index)
                return Start(configuration)
        refused = 0
        while self._walked < self._lattice.size:
            new = self._walk(self._walked)
            if new not in self._seen:
                configuration = self._lattice[new]
                if self._takes(configuration):
                    self._seen.add(new)
                    return Start(configuration)
                refused += 1
            if refused == VIOLATIONS_IN_A_ROW:
                raise _nearly_all_forbidden(trial_id, refused)
            self._walked += 1
        return Exhausted()

    def _takes(self, configuration: Configuration) -> bool:
        """Return whether the inequalities hold; the lattice knows what else is forbidden."""
        return not self._space.linear or not self._space.is_forbidden(configuration)

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        """Count the suggestion's configuration as seen."""
        self._see(suggestion.configuration)

    def restore(self, history: History, saved: SavedState | None, /) -> None:
        """Count all suggestions in the history as seen."""
        for event in history:
            if isinstance(event, Asked):
                self._see(event.suggestion.configuration)

    def _see(self, configuration: Configuration | None) -> None:
        if configuration is not None:
            index = self._lattice.index(configuration)
            if index is not None:
                self._seen.add(index)


def _nearly_all_forbidden(trial_id: int, draws: int) -> StrategyError:
    return StrategyError(
        f"trial {trial_id}: {draws:,} random draws in a row were forbidden; the "
        "forbidden combinations and linear inequalities cover nearly all of the space: leave those "
        "values out of the parameters instead"
    )
