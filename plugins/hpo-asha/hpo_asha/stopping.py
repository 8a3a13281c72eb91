"""The base of the variants that only stop jobs, and ASHA and Hyperband of that type."""

from __future__ import annotations

from typing import TypeVar

from hpo_asha.rungs import BracketTurns, Rung
from hpo_asha.scheduler import Scheduler, Trial, log, with_notes
from hpo_asha.searcher import Searcher
from hpo_core.plugin import (
    Decision,
    Exhausted,
    Problem,
    Report,
    Resume,
    Start,
    Status,
    StrategyError,
    Wait,
)


class RunningTrial(Trial):
    """A trial with one job, which continues unless it is stopped.

    Attributes:
        counts: Whether it has reported an iteration.
        is_stopped: Whether a decision to stop it was made.
    """

    __slots__ = ("counts", "is_stopped")

    def __init__(self, trial_id: int) -> None:
        super().__init__(trial_id)
        self.counts = False
        self.is_stopped = False


R = TypeVar("R", bound=RunningTrial)


class StoppingScheduler(Scheduler[R]):
    """The base of variants that start each job once with the maximum as target, and may stop it.

    Only reports with an iteration and the objective's metric count. If a trial completes without
    any such report, early stopping cannot work: that is an error if the study has a maximum number
    of iterations, else a warning. (This does not apply to adopted trials.)

    Args:
        problem: The study.
        searcher: Where configurations come from.
    """

    def __init__(self, problem: Problem, searcher: Searcher) -> None:
        super().__init__(problem, searcher)
        self._most = problem.max_iterations
        self._has_warned = False

    def _is_worse(self, trial: R, iteration: int, report: Report) -> bool:
        """Handle a report that counts, and return whether to stop the job."""
        raise NotImplementedError

    def _notes(self, number: int) -> dict[str, int]:
        """Return the notes of the trial with index `number`."""
        return {}

    def _answer(self, trial_id: int) -> Start | Wait | Exhausted:
        new = self._new(trial_id)
        if isinstance(new, Start):
            return with_notes(new, None, **self._notes(len(self._trials)))
        return self._without(new)

    def _resumed(self, trial: R, resume: Resume) -> None:
        """Do nothing: no trial is resumed."""

    def _watch(self, trial: R, report: Report) -> Decision:
        if report.iteration is not None:
            trial.counts = True
            if not trial.is_stopped and self._metric in report.metrics:
                trial.is_stopped = self._is_worse(trial, report.iteration, report)
        return Decision.STOP if trial.is_stopped else Decision.CONTINUE

    def _end(self, trial: R, report: Report) -> Decision:
        self._searcher.finish(report)
        counts = trial.counts or report.iteration is not None
        if report.status is Status.COMPLETED and not counts and trial.id not in self._adopted:
            self._complain(trial)
        return Decision.CONTINUE

    def _complain(self, trial: R) -> None:
        """Report that early stopping cannot work.

        Raises:
            StrategyError: If the study has a maximum number of iterations.
        """
        message = (
            f"trial {trial.id} completed without having said at which iteration it was, so that "
            "no job can be stopped early: report the iteration with the metric "
            f"(hpo_core.report(iteration=epoch, **{{{self._metric!r}: value}})), or take a "
            "strategy that needs none"
        )
        if self._is_restoring or self._has_warned:
            return
        if self._most is not None:
            raise StrategyError(message)
        self._has_warned = True
        log.warning("%s", message)


class RacingTrial(RunningTrial):
    """A trial with its next rung.

    Attributes:
        bracket: Its bracket.
        rung: The rung that it reaches next.
    """

    __slots__ = ("bracket", "rung")

    def __init__(self, trial_id: int, bracket: int) -> None:
        super().__init__(trial_id)
        self.bracket = bracket
        self.rung = 0


class Stopping(StoppingScheduler[RacingTrial]):
    """ASHA of the stopping type: at each rung, a job that is not among the best is stopped.

    The rungs and brackets are those of Li et al., MLSys 2020; see `hpo_asha.promotion`. Since no
    trial can be resumed later, the decision is immediate: the ``n``-th trial at a rung continues if
    its loss is at most the ``floor(n / eta)``-th best one there, including its own. For ``n <
    eta``, where the paper's rule would let no trial pass, it continues if it is the best so far.
    Optuna's SuccessiveHalvingPruner uses the same rule.

    A trial that reports later than at its rung's iteration enters all rungs that it has passed,
    with that result, until it is stopped at one. At a rung, a value that is not finite is not a
    result, and the job is stopped; a failed job is in no later rung.

    Args:
        problem: The study.
        searcher: Where configurations come from.
        brackets: The brackets.
        eta: The reduction factor.
    """

    def __init__(
        self, problem: Problem, searcher: Searcher, brackets: BracketTurns, eta: int
    ) -> None:
        super().__init__(problem, searcher)
        self._brackets = brackets
        self._eta = eta
        self._rungs = [[Rung() for _ in levels[:-1]] for levels in brackets.levels]

    def _notes(self, number: int) -> dict[str, int]:
        return {"bracket": self._brackets.of(number)} if len(self._rungs) > 1 else {}

    def _begin(self, trial_id: int, start: Start) -> RacingTrial:
        return RacingTrial(trial_id, self._brackets.of(len(self._trials)))

    def _is_worse(self, trial: RacingTrial, iteration: int, report: Report) -> bool:
        levels = self._brackets.levels[trial.bracket]
        rungs = self._rungs[trial.bracket]
        is_done = iteration >= levels[-1]  # too late to stop it
        while trial.rung < len(rungs) and levels[trial.rung] <= iteration:
            result = self._result(trial, report)
            if not result.is_finite:
                return not is_done
            rung = rungs[trial.rung]
            rung.add(result)
            trial.rung += 1
            worst = rung[max(len(rung) // self._eta, 1) - 1]
            if result.is_worse(worst) and not is_done:
                return True
        return False
