"""Fill free workers with jobs: waiting trials, enqueued configurations, and suggestions."""

from __future__ import annotations

import logging
from typing import NamedTuple

from hpo_core.contracts.strategy import Exhausted, Resume, Start, Wait
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.checkpoint_retention import CheckpointRetention
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import NOTHING, Effects
from hpo_core.controller.run.job_factory import JobFactory
from hpo_core.controller.run.lookahead import Lookahead
from hpo_core.controller.run.pending_trial import PendingTrial
from hpo_core.controller.run.recovery import require_fit, resumed_trial
from hpo_core.controller.run.state import RunState
from hpo_core.controller.run.study_events import StudyEvents
from hpo_core.controller.run.trials import Trials
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy, StrategyInterrupted
from hpo_core.model.errors import StrategyError
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import JobState, StudyState, job_id
from hpo_core.model.report import Status
from hpo_core.model.values import JSON, Configuration
from hpo_core.store.checkpoints import CopyError

_log = logging.getLogger("hpo_core")


class _Launch(NamedTuple):
    """The result of an attempt to launch a job: its effects, or why no job can be launched."""

    effects: Effects
    obstacle: str | None = None


class JobDispatcher:
    """Launches jobs, within a turn.

    Args:
        context: The study.
        state: Where the run stands.
        budget: What is used of the budget.
        strategy: The strategy.
        trials: The trials of the run.
        retention: Which checkpoints are kept.
        factory: Makes jobs.
        study_events: Makes the events for observers.
        lookahead: How many jobs may be under way.
    """

    def __init__(
        self,
        context: RunContext,
        state: RunState,
        budget: BudgetTracker,
        strategy: CheckedStrategy,
        trials: Trials,
        retention: CheckpointRetention,
        factory: JobFactory,
        study_events: StudyEvents,
        lookahead: Lookahead,
    ) -> None:
        self._context = context
        self._config = context.config
        self._writer = context.writer
        self._checkpoints = context.folder.checkpoints
        self._state = state
        self._budget = budget
        self._strategy = strategy
        self._trials = trials
        self._retention = retention
        self._factory = factory
        self._study_events = study_events
        self._lookahead = lookahead
        self._next_trial = context.store.next_trial(context.study.id)
        self._no_more: str | None = None  # why the strategy is no longer asked
        self._knows_no_more_trials: bool | None = None  # None until no_more_trials was called
        self._look_for_enqueued = True

    def expect_enqueued(self) -> None:
        """Look for enqueued configurations in the store; safe from any thread."""
        self._look_for_enqueued = True

    def fill(self, now: float) -> Effects:
        """Launch jobs while there is room for them, remaining budget, and suggestions."""
        effects, obstacle = NOTHING, None
        state, room = self._state, self._lookahead.room
        if self._strategy.lost is not None:  # it was interrupted, but the study continues
            return state.fail(self._strategy.lost)
        while (
            obstacle is None
            and self._strategy.lost is None
            and state.is_running
            and len(state.jobs) < room
        ):
            obstacle = self._budget.no_room_for_a_job(len(state.jobs))
            if obstacle is None:
                launched = self._launch_next(now)
                effects += launched.effects
                obstacle = launched.obstacle
        if obstacle is not None and not state.jobs and state.is_running:
            effects += state.end(StudyState.FINISHED, obstacle)
        return effects

    def _launch_next(self, now: float) -> _Launch:
        if self._state.waiting:
            return _Launch(self._launch(self._state.waiting.popleft(), now))
        try:
            return self._launch_new(now)
        except StrategyInterrupted:
            return _Launch(NOTHING)  # the study is ending
        except StrategyError as error:
            return _Launch(self._state.fail(error))

    def _launch_new(self, now: float) -> _Launch:
        """Launch an enqueued configuration, or else a suggestion of the strategy."""
        full = self._budget.no_room_for_a_trial()
        if full is None and (enqueued := self._next_enqueued()) is not None:
            row, configuration = enqueued
            start = Start(configuration)
            state = self._strategy.adopt(self._next_trial, start)
            self._writer.dequeue(row)
            return _Launch(self._start(start, state, now, adopted=True))
        if self._no_more is not None or (full is not None and not self._context.is_resuming):
            return _Launch(NOTHING, self._no_more or full)
        if full is not None and self._knows_no_more_trials is None:
            self._knows_no_more_trials = self._strategy.no_more_trials()
        return self._ask(full, now)

    def _ask(self, full: str | None, now: float) -> _Launch:
        """Ask the strategy. `full` is the reason why no new trial may start, or None."""
        answer, state = self._strategy.ask(self._next_trial)
        match answer:
            case Start() if full is None:
                return _Launch(self._start(answer, state, now, adopted=False))
            case Start() if self._knows_no_more_trials:
                raise self._strategy.broken("it starts a trial although it was told no_more_trials")
            case Start():
                self._no_more = full
            case Resume():
                return _Launch(self._resume(answer, state, now))
            case Exhausted():
                self._no_more = full or "the strategy has nothing more to try"
            case Wait() if not self._state.jobs:
                raise self._strategy.broken("it waits although nothing is running")
            case Wait():
                return _Launch(NOTHING, "the strategy waits")
        return _Launch(NOTHING, self._no_more)

    def _next_enqueued(self) -> tuple[int, Configuration] | None:
        """Return the oldest enqueued configuration; read the store only if it may have new ones."""
        if not (self._look_for_enqueued or self._writer.is_changed_elsewhere()):
            return None
        enqueued = self._writer.next_enqueued()
        self._look_for_enqueued = enqueued is not None
        if enqueued is not None:
            require_fit(self._config, self._context.store, enqueued[1])
        return enqueued

    def _start(self, start: Start, state: JSON, now: float, *, adopted: bool) -> Effects:
        trial_id = self._next_trial
        self._next_trial += 1
        self._budget.trials += 1
        self._writer.start(trial_id, start, adopted=adopted)
        if state is not None:
            self._writer.strategy_state(state)
        trial = PendingTrial(
            trial_id,
            start.configuration,
            attempt=1,
            target=start.iterations or self._config.job.max_iterations,
            losses=(None,) * len(self._config.objectives),
            is_target_suggested=start.iterations is not None,
        )
        return self._launch(trial, now)

    def _resume(self, resume: Resume, state: JSON, now: float) -> Effects:
        context = self._context
        try:
            trial, state_before = resumed_trial(self._config, context.store, context.study, resume)
        except StrategyError as error:
            raise self._strategy.broken(str(error)) from None
        self._require_checkpoints(resume)
        self._budget.trial_resumed(state_before)
        self._retention.trial_resumed(trial.id)
        self._writer.resume(self._next_trial, resume, now)
        if state is not None:
            self._writer.strategy_state(state)
        if resume.checkpoint_from is None:
            return self._launch(trial, now)
        return self._launch_with_checkpoints_of(resume.checkpoint_from, trial, now)

    def _launch_with_checkpoints_of(self, source: int, trial: PendingTrial, now: float) -> Effects:
        """Copy a trial's checkpoints for the job of another trial. If that fails, the job fails."""
        job = job_id(trial.id, trial.attempt)
        try:
            left_out = self._checkpoints.copy_aside(source, job)
        except CopyError as error:
            return self._fail(trial, str(error), now)
        notes = [
            f"the checkpoints of trial {source} were copied without {what}" for what in left_out
        ]
        for note in notes:
            _log.warning("job %s: %s", job, note)
        return Effects(place_checkpoints=(job,)) + self._launch(trial, now, notes)

    def _fail(self, trial: PendingTrial, reason: str, now: float) -> Effects:
        """Record a trial's next job as failed because it cannot be launched."""
        job = self._factory.job(trial)
        running = self._factory.running(job, trial, now)
        running.cause = FailureCause.ERROR
        self._budget.jobs += 1
        self._writer.queue_job(trial.id, trial.attempt, job.name, trial.target, now)
        self._writer.job_ended(
            trial.id,
            trial.attempt,
            state=JobState.FAILED,
            reason=reason,
            started=None,
            ended=now,
            iteration=None,
            iterations=0,
            metrics={},
            cause=running.cause,
        )
        _log.warning("job %s failed: %s", job.id, reason)
        decision, told = self._trials.tell(running, Status.FAILED, None, {}, None, now)
        _, settled = self._trials.settle(running, JobState.FAILED, None, decision)
        finished = self._study_events.job_finished(
            running, JobState.FAILED, reason, None, ended=now, time=now
        )
        return told + settled + finished

    def _require_checkpoints(self, resume: Resume) -> None:
        """Check that the checkpoints needed for a resumption have not been deleted.

        Raises:
            StrategyError: If they have been deleted. For those at an address, the backend raises it
                once it has asked there.
        """
        if self._retention.is_keeping_all:
            return
        store, study = self._context.store, self._context.study
        for trial_id in (resume.trial_id, resume.checkpoint_from):
            found = None if trial_id is None else store.trial(study.id, trial_id)
            if found is not None:
                deleted = StrategyError(
                    f"the strategy {self._config.strategy.name!r} resumes from trial {trial_id}, "
                    "whose checkpoints job.keep_checkpoints has deleted; give it a larger number, "
                    "or leave it out"
                )
                self._retention.require(found.id, found.state, deleted)

    def _launch(self, trial: PendingTrial, now: float, notes: list[str] | None = None) -> Effects:
        job = self._factory.job(trial)
        self._budget.jobs += 1
        if trial.is_queued:
            trial.is_queued = False
            self._writer.requeue_job(trial.id, trial.attempt, now)
        else:
            self._writer.queue_job(trial.id, trial.attempt, job.name, trial.target, now)
        running = self._factory.running(job, trial, now)
        running.notes += notes or ()
        self._state.jobs[job.id] = running
        self._budget.job_submitted(is_first=trial.attempt == 1)
        return Effects(submit=(job,))
