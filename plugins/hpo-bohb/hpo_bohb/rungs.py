"""hpbandster's budgets as whole iterations.

A budget is the maximum number of iterations times eta to the power of -k, a float. A job trains for
the nearest integer (halves are rounded up). Since eta is at least 2 and the smallest budget at
least 1, neighbours remain different and within the job's minimum and maximum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


class Rungs:
    """The budgets of a study.

    Args:
        budgets: hpbandster's budgets, in increasing order.
    """

    def __init__(self, budgets: Sequence[float]) -> None:
        self._budgets = tuple(budgets)

    def iterations(self, budget: float) -> int:
        """Return the target iteration of a job on a budget."""
        return math.floor(budget + 0.5)

    def budget(self, iterations: int | None) -> float | None:
        """Return the largest budget that a job with these iterations has completed, or None.

        None as an argument means the maximum of the study.
        """
        if iterations is None:
            return self._budgets[-1]
        reached = [each for each in self._budgets if self.iterations(each) <= iterations]
        return max(reached, default=None)
