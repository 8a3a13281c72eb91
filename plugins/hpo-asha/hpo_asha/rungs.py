"""Rungs: the iterations at which trials are compared, and the results there.

The letters in docstrings are those of Li et al., "A System for Massively Parallel Hyperparameter
Tuning", MLSys 2020: a trial trains ``r eta^i`` iterations to rung ``i``, and at most ``R``.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple


def levels(least: int, most: int, eta: int) -> tuple[int, ...]:
    """Return the iterations of each rung: ``most eta^-i``, rounded, as long as that is `least`.

    Their number is that of the papers: ``floor(log_eta(R / r)) + 1`` (Li et al. 2020, Algorithm 1,
        with ``s = 0``), and at least two. The papers space them upward from ``r``, so their rungs
        end below ``R``, or jobs would have to continue from a rung close to it. Downward, as in
        hpbandster, each step is `eta` times as long as the previous one. If ``most / least`` is a
        power of `eta`, both are equal.
    """
    count = 1
    while least * eta**count <= most:
        count += 1
    found = [(2 * most // eta**step + 1) // 2 for step in range(max(count, 2))]
    return tuple(max(level, least) for level in reversed(found))


def levels_to_stop_at(least: int, most: int, eta: int) -> tuple[int, ...]:
    """Return the iterations of each rung at which jobs are stopped, and the maximum.

    They are ``least eta^i``, as in Optuna's pruner. A rung that is closer to the end than a tenth
    of a step is omitted: stopping there would save almost nothing.
    """
    *below, most = levels_from_below(least, most, eta)
    return (*(level for level in below if level == least or level * eta**0.1 <= most), most)


def levels_from_below(least: int, most: int, eta: int) -> tuple[int, ...]:
    """Return the rungs of studies with rules 1: ``least eta^i`` below `most`, and `most`."""
    found = []
    level = least
    while level < most:
        found.append(level)
        level *= eta
    return (*found, most)


def hyperband_sizes(rungs: int, eta: int) -> tuple[int, ...]:
    """Return the number of trials of each bracket of Hyperband, the one with the most rungs first.

    ``n = ceil((s_max + 1) eta^s / (s + 1))`` for ``s`` from ``s_max`` down to 0, where bracket
    ``s`` has ``s + 1`` rungs: the ``n`` of Algorithm 1 in Li et al., "Hyperband: A Novel
    Bandit-Based Approach to Hyperparameter Optimization", JMLR 18, 2018.
    """
    return tuple(-(-rungs * eta**s // (s + 1)) for s in range(rungs - 1, -1, -1))


class BracketTurns:
    """The assignment of trials to brackets: brackets take turns, each for a number of trials.

    Args:
        levels: The iterations of the rungs of each bracket.
        sizes: Number of trials of each bracket in a turn.

    Attributes:
        levels: The same.
    """

    def __init__(self, levels: Sequence[Sequence[int]], sizes: Sequence[int]) -> None:
        self.levels = levels
        self._turns = [bracket for bracket, size in enumerate(sizes) for _ in range(size)]

    def of(self, number: int) -> int:
        """Return the bracket of the trial with index `number`, counted from 0."""
        return self._turns[number % len(self._turns)]


class RungResult(NamedTuple):
    """The result of a trial at a rung. Results sort from the best on; equal ones by trial.

    Attributes:
        violation: Total violation of the study's constraints; 0.0 if they are satisfied.
        loss: Its loss; infinity for a value that is not finite.
        trial_id: The trial.
    """

    violation: float
    loss: float
    trial_id: int

    @property
    def is_finite(self) -> bool:
        """Whether it can be compared; if not, it is in no rung."""
        return math.isfinite(self.violation) and math.isfinite(self.loss)

    def is_worse(self, other: RungResult) -> bool:
        """Return whether it is worse than another result, regardless of the trials' order."""
        return self[:2] > other[:2]


class Rung:
    """The results of the trials that reached a rung, in order.

    Adding one costs O(log n) comparisons and a move in memory: microseconds at 10,000.
    """

    __slots__ = ("_results",)

    def __init__(self) -> None:
        self._results: list[RungResult] = []

    def __len__(self) -> int:
        return len(self._results)

    def __getitem__(self, place: int) -> RungResult:
        """Return a result by its rank; 0 is the best."""
        return self._results[place]

    def add(self, result: RungResult) -> None:
        """Add a result."""
        insort(self._results, result)

    def place(self, result: RungResult) -> int:
        """Return the rank of a result."""
        return bisect_left(self._results, result)
