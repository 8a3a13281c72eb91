"""The base of the variants that pause trials and resume them later."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from hpo_asha.rungs import RungResult
from hpo_asha.scheduler import Scheduler, Trial
from hpo_asha.searcher import Searcher
from hpo_core.plugin import Capability, Decision, Problem, Report, Resume, Start, Status


class PausedTrial(Trial):
    """A trial that trains from one goal to the next.

    Attributes:
        goal: The iteration at which it is compared next.
        target: The target of its job: the goal, except for an enqueued trial, whose target is the
            maximum.
    """

    __slots__ = ("goal", "target")

    def __init__(self, trial_id: int, goal: int, target: int) -> None:
        super().__init__(trial_id)
        self.goal = goal
        self.target = target


P = TypeVar("P", bound=PausedTrial)


class PausingScheduler(Scheduler[P]):
    """Jobs end by themselves at their goals; the decision on the final report pauses the trial.

    A job with a larger target is paused at its first report at or beyond its goal.

    Args:
        problem: The study; its `max_iterations` is set.
        searcher: Where configurations come from.
        completes: Whether to train a trial to the end regardless of the rungs, if otherwise no
            trial of the study would be completed.
    """

    own: ClassVar[frozenset[Capability]] = frozenset({Capability.STOPPING, Capability.RESUMING})

    def __init__(self, problem: Problem, searcher: Searcher, completes: bool) -> None:
        super().__init__(problem, searcher)
        self._completes = completes
        self._has_completed = False  # whether a trial has trained to the end, with a result
        assert problem.max_iterations is not None, "checked with the options"
        self._most = problem.max_iterations

    def _target(self, suggestion: Start | Resume) -> int:
        """Return the target of a job of this suggestion."""
        return suggestion.iterations or self._most

    def _watch(self, trial: P, report: Report) -> Decision:
        iteration = report.iteration
        if iteration is None or self._metric not in report.metrics:
            return Decision.CONTINUE
        is_beyond = trial.goal <= iteration < trial.target
        return Decision.PAUSE if is_beyond else Decision.CONTINUE

    def _was_never_paused(self, trial: P, reached: int | None) -> bool:
        """Return whether an adopted trial has ended before its first goal.

        These are enqueued trials whose jobs report too rarely, and trials imported from another
        program.
        """
        return trial.target > trial.goal and (reached is None or reached >= self._most)

    @property
    def _must_complete(self) -> bool:
        """Whether to train a waiting trial to the end, since otherwise no trial would complete.

        To be asked where no new trial can be started, and none is promoted.
        """
        return self._completes and not self._running and not self._has_completed

    def _note_completed(self, reached: int | None, result: RungResult) -> None:
        """Register a trial whose job has ended."""
        if reached is not None and reached >= self._most and result.is_finite:
            self._has_completed = True

    def _reached(self, trial: P, report: Report) -> int | None:
        """Return the iteration that a trial has reached at the end of its job; None if it cannot be
        resumed.

        A completed job has trained to its target, whatever iteration it has reported: it may report
        in larger steps, or not at all.
        """
        match report.status:
            case Status.COMPLETED:
                return max(report.iteration or 0, trial.target, trial.goal)
            case Status.PAUSED:
                return max(report.iteration or 0, trial.goal)
            case _:
                return None
