"""hpbandster's budgets as whole iterations.

A budget is the most iterations times eta to the power of -k, a float. A job trains for the nearest
integer (a half is rounded up). Since eta is 2 or more and the least budget 1 or more,
neighbours stay different, and none leaves the job's minimum and maximum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


class Rungs:
    """The budgets that a study trains on.

    Args:
        budgets: hpbandster's, the least first.
    """

    def __init__(self, budgets: Sequence[float]) -> None:
        self._budgets = tuple(budgets)

    def iterations(self, budget: float) -> int:
        """Return how far a job trains on a budget."""
        return math.floor(budget + 0.5)

    def budget(self, iterations: int | None) -> float | None:
        """Return the largest budget that a job with these iterations has completed, or None.

        None stands for as far as the study lets a job go.
        """
        if iterations is None:
            return self._budgets[-1]
        reached = [each for each in self._budgets if self.iterations(each) <= iterations]
        return max(reached, default=None)
