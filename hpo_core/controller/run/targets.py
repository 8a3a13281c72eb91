"""The target iteration of a job, and which of its reports count for it.

Programs may report every tenth epoch, in optimizer steps, or the final metric one step late. So a
value beyond the target is not discarded: the first value of each metric at or beyond the target
counts for the target. See docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Mapping, Set


class Target:
    """The target iteration of a job, and the iteration reached.

    Args:
        iterations: The target, counted from the start of the trial; None for no target.
        most: The study's `max_iterations`.
        wanted: The metrics of the study's objectives and constraints.
        is_final: Whether the trial is never resumed beyond this target.

    Attributes:
        iterations: The same.
        is_final: The same.
        reached: The highest iteration that the job has reported.
    """

    __slots__ = ("_at_target", "_known", "_most", "_wanted", "is_final", "iterations", "reached")

    def __init__(
        self, iterations: int | None, *, most: int | None, wanted: Set[str], is_final: bool
    ) -> None:
        self.iterations = iterations
        self.is_final = is_final
        self.reached = 0
        self._most = most if most is not None else iterations
        self._wanted = wanted
        self._known: set[str] = set()  # metrics that the job has reported
        self._at_target: set[str] = set()  # those with a value at or beyond the target

    def heard(self, iteration: int | None) -> int | None:
        """Return an iteration as counted by the strategy and budgets: at most the target."""
        if iteration is None or self.iterations is None:
            return iteration
        return min(iteration, self.iterations)

    def counting(self, iteration: int | None, metrics: Mapping[str, float]) -> Mapping[str, float]:
        """Return the metrics of a report that count: beyond the target, only first values."""
        if self.iterations is None or iteration is None or iteration <= self.iterations:
            return metrics
        return {name: value for name, value in metrics.items() if name not in self._at_target}

    def note(self, iteration: int | None, metrics: Mapping[str, float]) -> None:
        """Register a report."""
        self._known.update(metrics)
        if iteration is not None:
            self.reached = max(self.reached, iteration)
            if self.iterations is not None and iteration >= self.iterations:
                self._at_target.update(metrics)

    @property
    def is_reached(self) -> bool:
        """Whether the job has reached its target."""
        return self.iterations is not None and self.reached >= self.iterations

    @property
    def is_met(self) -> bool:
        """Whether the job has reported everything it needs to, and should end.

        Below the study's maximum, the job must also have reported all required metrics, since its
        next validation may come after the target.
        """
        if not self.is_reached or self._most is None:
            return False
        return self.reached >= self._most or self._wanted <= self._known

    @property
    def is_exhausted(self) -> bool:
        """Whether no later report of a required metric can count."""
        return self.is_met and self._wanted <= self._at_target

    @property
    def is_beyond_most(self) -> bool:
        """Whether the job has reported more than the study's maximum."""
        return self._most is not None and self.reached > self._most
