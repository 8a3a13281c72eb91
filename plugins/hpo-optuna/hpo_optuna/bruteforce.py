"""BruteForceStrategy: Optuna's brute force, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import optuna
from optuna.trial import TrialState

from hpo_core.plugin import (
    Configuration,
    Exhausted,
    Fault,
    Float,
    InvalidInput,
    Lattice,
    Parameter,
    Problem,
    Resume,
    SearchSpace,
    Start,
)
from hpo_optuna import axes
from hpo_optuna.fixed import restricted
from hpo_optuna.options import BruteForce
from hpo_optuna.strategy import OptunaStrategy

COUNTED_AT_MOST = 100_000
"""Maximum number of configurations of a space with linear inequalities, which are counted."""


class BruteForceStrategy(OptunaStrategy):
    """Every configuration once, then exhausted.

    Optuna's sampler alone would go on with configurations that it has tried.

    Args:
        problem: The study.
        options: The sampler's options.

    Raises:
        InvalidInput: If the space has no end, or is too large to count what satisfies its linear
            inequalities.
    """

    def __init__(self, problem: Problem, options: BruteForce) -> None:
        space = _stepped(problem.space)
        super().__init__(msgspec.structs.replace(problem, space=space), options)
        self._lattice = Lattice(restricted(space, options.fixed))
        self._size = _count(self._lattice, space)
        self._seen: set[int] = set()

    def ask(self, trial_id: int, /) -> Start | Exhausted:
        """Suggest a configuration that is new."""
        if len(self._seen) == self._size:
            return Exhausted()
        start = super().ask(trial_id)
        if isinstance(start, Start):
            self._see(start.configuration)
        return start

    def adopt(self, trial_id: int, suggestion: Start | Resume, /) -> None:
        """Count the configuration as seen."""
        if isinstance(suggestion, Start):
            if len(self._seen) == self._size:  # there is nothing to draw in its place
                self._recall(trial_id, suggestion.configuration, {})
            else:
                super().adopt(trial_id, suggestion)
            self._see(suggestion.configuration)

    def _recall(
        self, trial_id: int, configuration: Configuration, notes: Mapping[str, Any]
    ) -> None:
        super()._recall(trial_id, configuration, notes)
        self._see(configuration)

    def _see(self, configuration: Configuration) -> None:
        index = self._lattice.index(configuration)
        if index is not None:
            self._seen.add(index)

    def _takes(self, configuration: Configuration) -> bool:
        index = self._lattice.index(configuration)
        return index is not None and index not in self._seen and super()._takes(configuration)

    def _refuse(self, trial: optuna.Trial) -> None:
        """Count it as tried: only what has ended is never drawn again."""
        self._reports.end(trial.number, TrialState.FAIL)

    def _put_back_refused(
        self, values: Mapping[str, axes.Native], attributes: Mapping[str, Any]
    ) -> None:
        self._reports.end(self._put_back(values, attributes), TrialState.FAIL)


def _stepped(space: SearchSpace) -> SearchSpace:
    """Give each Float of one point a step: without one, Optuna takes it for endless."""

    def stepped(axis: Parameter) -> Parameter:
        if isinstance(axis, Float) and axis.step is None and axis.size == 1:
            return Float(axis.name, axis.low, axis.high, step=1.0, when=axis.when)
        return axis

    return SearchSpace(tuple(map(stepped, space.parameters)), space.forbidden, space.linear)


def _count(lattice: Lattice, space: SearchSpace) -> int:
    """Return how many configurations of a lattice satisfy the space's inequalities.

    Raises:
        InvalidInput: If there are too many to count.
    """
    if not space.linear:
        return lattice.size
    if lattice.size > COUNTED_AT_MOST:
        message = (
            f"brute force counts what satisfies them, among at most {COUNTED_AT_MOST:,} "
            f"configurations, and here are {lattice.size:,}; give larger steps, or take optuna:tpe"
        )
        raise InvalidInput([Fault("linear", message)])
    return sum(not space.is_forbidden(lattice[place]) for place in range(lattice.size))
