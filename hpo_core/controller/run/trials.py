"""Pass reports of trials to the strategy, and record the results."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from hpo_core.contracts.strategy import Strategy
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.checkpoint_retention import CheckpointRetention
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import NOTHING, Effects
from hpo_core.controller.run.incumbents import Incumbents
from hpo_core.controller.run.pending_trial import PendingTrial
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.controller.run.state import RunState
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy, StrategyInterrupted
from hpo_core.model.constraint import is_feasible as feasible
from hpo_core.model.errors import HpoError, StrategyError, StudyFailed
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import JobState, TrialState
from hpo_core.model.objective import Losses, complete
from hpo_core.model.report import Decision, Report, Status
from hpo_core.model.text import counted

_log = logging.getLogger("hpo_core")

_TRIAL_STATE = {
    JobState.COMPLETED: TrialState.COMPLETED,
    JobState.PAUSED: TrialState.PAUSED,
    JobState.STOPPED: TrialState.STOPPED,
    JobState.FAILED: TrialState.FAILED,
    JobState.TIMED_OUT: TrialState.FAILED,
}


class Trials:
    """The trials of a run, for the strategy and in the store.

    Args:
        context: The study.
        state: Where the run stands.
        strategy: The strategy, restored.
        rebuild: Builds the strategy again, and restores it from the stored history.
        budget: What is used of the budget.
        incumbents: The best trials so far.
        retention: Which checkpoints are kept.
    """

    def __init__(
        self,
        context: RunContext,
        state: RunState,
        strategy: CheckedStrategy,
        rebuild: Callable[[], Strategy],
        budget: BudgetTracker,
        incumbents: Incumbents,
        retention: CheckpointRetention,
    ) -> None:
        self._config = context.config
        self._writer = context.writer
        self._state = state
        self._strategy = strategy
        self._rebuild = rebuild
        self._budget = budget
        self._incumbents = incumbents
        self._retention = retention

    def tell(
        self,
        job: RunningJob,
        status: Status,
        iteration: int | None,
        metrics: Mapping[str, float],
        losses: Losses | None,
        time: float,
    ) -> tuple[Decision, Effects]:
        """Pass a report to the strategy, record it, and return the decision.

        The iteration is recorded as reported, but passed to the strategy as at most the job's
        target. If the strategy raises, the study fails: the strategy is not called any more, and
        every job continues until it is ended.
        """
        report = Report(
            trial_id=job.trial.id,
            job_id=job.job.id,
            iteration=job.target.heard(iteration),
            losses=losses,
            status=status,
            metrics=metrics,
            attempt=job.trial.failures + 1,
            cause=job.cause if losses is None and status is not Status.RUNNING else None,
        )
        decision, effects = None, NOTHING
        if self._is_heard:
            try:
                decision = self._strategy.tell(report)
            except StrategyInterrupted:
                pass  # the study is about to end
            except StrategyError as error:
                effects = self._state.fail(error)
        self._writer.told(report, job.trial.attempt, iteration, time, decision)
        return decision or Decision.CONTINUE, effects

    @property
    def _is_heard(self) -> bool:
        """Whether the strategy is told reports: it has neither raised nor been interrupted."""
        return not isinstance(self._state.error, StrategyError) and self._strategy.lost is None

    def settle(
        self,
        job: RunningJob,
        state: JobState,
        losses: Losses | None,
        decision: Decision,
    ) -> tuple[bool, Effects]:
        """Record the state of a trial after its job, and return whether it is the best."""
        trial_state = _TRIAL_STATE[state]
        may_go_on = not (job.is_at_last_target or job.is_cut_short)
        if state is JobState.COMPLETED and decision is Decision.PAUSE and may_go_on:
            trial_state = TrialState.PAUSED
        self._writer.trial(job.trial.id, trial_state, losses)
        self._budget.trial_ended(trial_state)
        is_feasible = feasible(self._config.constraints, job.all_metrics)
        counting = losses if is_feasible else None
        effects = self._retention.trial_ended(job.trial.id, trial_state, counting)
        if trial_state is TrialState.FAILED:
            effects += self._heed_failure(job.trial.id)
        is_best = (
            trial_state is TrialState.COMPLETED
            and counting is not None
            and self._incumbents.add(counting, job.job.id)
        )
        return is_best, effects

    def retry(self, trial: PendingTrial, time: float) -> None:
        """Record that a trial is retried. The strategy discards the reports of the failed job.

        If it neither does so itself nor can be rebuilt, it keeps them, and a warning is logged.
        """
        self._writer.retry(trial.id, trial.attempt, time)
        strategy = self._strategy
        if trial.is_heard and self._is_heard and not strategy.handles_attempts:
            try:
                strategy.replace(self._rebuild())
            except HpoError as error:
                self._writer.strategy_keeps()
                _log.warning(
                    "trial %d is retried, but the strategy cannot discard the reports of its "
                    "failed job: it could not be rebuilt without them (%s)",
                    trial.id,
                    error,
                )
        trial.begin_again()

    def give_up(self, job: RunningJob, now: float) -> Effects:
        """Settle a trial that waits for its next job, `job`, when no budget is left for it."""
        has_failed = bool(job.trial.failures)
        state = JobState.FAILED if has_failed else JobState.STOPPED
        losses = None if has_failed else complete(job.trial.losses)
        job.cause = FailureCause.ERROR if has_failed else None
        decision, told = self.tell(job, Status(state.value), None, {}, losses, now)
        _, settled = self.settle(job, state, losses, decision)
        return told + settled

    def _heed_failure(self, trial_id: int) -> Effects:
        """End the study as failed if its settings require that after a failed trial."""
        config, failed = self._config, self._budget.failed
        at_start = self._budget.failed_at_start
        if config.on_failure == "stop":
            why = f"trial {trial_id} failed, and on_failure is 'stop'"
        elif config.max_failures is not None and failed > config.max_failures:
            why = f"{counted(failed, 'trial')} failed, and max_failures is {config.max_failures}"
        elif 0 < (config.max_failures_at_start or 0) <= at_start:
            why = _failed_at_start(at_start)
        else:
            return NOTHING
        return self._state.fail(StudyFailed(why))


def _failed_at_start(trials: int) -> str:
    what = "the first trial" if trials == 1 else f"each of the first {trials} trials"
    return f"{what} failed, and max_failures_at_start is {trials} (0 for no limit)"
