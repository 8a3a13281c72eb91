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
        goal: After how many iterations it is compared next.
        target: How many its job was told to train: as many, but for a trial that a user has
            enqueued, which is told the most that there are.
    """

    __slots__ = ("goal", "target")

    def __init__(self, trial_id: int, goal: int, target: int) -> None:
        super().__init__(trial_id)
        self.goal = goal
        self.target = target


P = TypeVar("P", bound=PausedTrial)


class PausingScheduler(Scheduler[P]):
    """Trials end by themselves at their goals; the answer to their final report keeps them open.

    A job that was told to train further is paused at the first report from its goal on.

    Args:
        problem: The study; its `max_iterations` is set.
        searcher: Where configurations come from.
        completes: Whether a trial is trained to the end, whatever the rungs say, if otherwise the
            study would end with none that is.
    """

    own: ClassVar[frozenset[Capability]] = frozenset({Capability.STOPPING, Capability.RESUMING})

    def __init__(self, problem: Problem, searcher: Searcher, completes: bool) -> None:
        super().__init__(problem, searcher)
        self._completes = completes
        self._has_completed = False  # whether a trial has trained to the end, with a result
        assert problem.max_iterations is not None, "checked with the options"
        self._most = problem.max_iterations

    def _target(self, suggestion: Start | Resume) -> int:
        """Return how far a job of this suggestion is told to train."""
        return suggestion.iterations or self._most

    def _watch(self, trial: P, report: Report) -> Decision:
        iteration = report.iteration
        if iteration is None or self._metric not in report.metrics:
            return Decision.CONTINUE
        is_beyond = trial.goal <= iteration < trial.target
        return Decision.PAUSE if is_beyond else Decision.CONTINUE

    def _was_never_paused(self, trial: P, reached: int | None) -> bool:
        """Return whether a trial from elsewhere has ended before its first goal.

        Such are points of a user's whose jobs report too rarely, and trials of another program's.
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
        """Return how far a trial is whose job has ended; None if it can't be resumed.

        A job that completes has trained as far as it was told to, whatever it says: it may count
        in larger steps, or not at all.
        """
        match report.status:
            case Status.COMPLETED:
                return max(report.iteration or 0, trial.target, trial.goal)
            case Status.PAUSED:
                return max(report.iteration or 0, trial.goal)
            case _:
                return None
