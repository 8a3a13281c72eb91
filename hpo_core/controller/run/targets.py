"""A job's target: how far it is to train, and which of its reports count there.

Programs report as they can: on every tenth epoch, in optimizer steps, the final metric one step
late. So a value beyond the target is not lost: the first value of each metric at or beyond the
target is the target's. See docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Mapping, Set


class Target:
    """How far a job is to train, and how far it has come.

    Args:
        iterations: The target, counted from the trial's beginning; None if there is none.
        most: The study's `max_iterations`.
        wanted: The metrics that the study needs: its objectives and constraints.
        is_final: Whether the trial is never resumed beyond this target.

    Attributes:
        iterations: The same.
        is_final: The same.
        reached: The furthest iteration that the job has reported.
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
        """Return an iteration as the strategy hears it and budgets count it."""
        if iteration is None or self.iterations is None:
            return iteration
        return min(iteration, self.iterations)

    def counting(self, iteration: int | None, metrics: Mapping[str, float]) -> Mapping[str, float]:
        """Return those values of a report that count: beyond the target only the first ones."""
        if self.iterations is None or iteration is None or iteration <= self.iterations:
            return metrics
        return {name: value for name, value in metrics.items() if name not in self._at_target}

    def note(self, iteration: int | None, metrics: Mapping[str, float]) -> None:
        """Note what a job has reported."""
        self._known.update(metrics)
        if iteration is not None:
            self.reached = max(self.reached, iteration)
            if self.iterations is not None and iteration >= self.iterations:
                self._at_target.update(metrics)

    @property
    def is_reached(self) -> bool:
        """Whether the job has trained as far as it was to."""
        return self.iterations is not None and self.reached >= self.iterations

    @property
    def is_met(self) -> bool:
        """Whether nothing more is expected of the job than that it ends.

        Below the study's maximum a job is awaited until it has reported what the study needs: its
        next validation may come after the target.
        """
        if not self.is_reached or self._most is None:
            return False
        return self.reached >= self._most or self._wanted <= self._known

    @property
    def is_exhausted(self) -> bool:
        """Whether no later report of what the study needs can count."""
        return self.is_met and self._wanted <= self._at_target

    @property
    def is_beyond_most(self) -> bool:
        """Whether the job has reported more than the study's maximum."""
        return self._most is not None and self.reached > self._most
