"""Handle events of jobs: record them, and tell the strategy."""

from __future__ import annotations

from hpo_core.contracts.backend import Finished, JobEvent, Reported, Started
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import NOTHING, Effects
from hpo_core.controller.run.iteration_warnings import IterationWarnings
from hpo_core.controller.run.lookahead import Lookahead
from hpo_core.controller.run.pending_trial import PendingTrial
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.controller.run.state import RunState
from hpo_core.controller.run.study_events import StudyEvents
from hpo_core.controller.run.trials import Trials
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import JobState, StudyState
from hpo_core.model.objective import complete
from hpo_core.model.report import Decision, Status

LOST_AT_MOST = 10
"""Number of jobs of a trial lost in a row after which the trial fails."""

_UNTOLD = (JobState.QUEUED, JobState.LOST)
_STATUS = {state: Status(state.value) for state in JobState if state not in _UNTOLD}
"""How a job has ended, as strategies are told."""


class EventHandler:
    """Handles the events of a backend, within a turn.

    Args:
        context: The study.
        state: The state of the run.
        budget: The budget and its usage.
        trials: The trials of the run.
        study_events: Makes the events for observers.
        lookahead: How many jobs may be under way.
    """

    def __init__(
        self,
        context: RunContext,
        state: RunState,
        budget: BudgetTracker,
        trials: Trials,
        study_events: StudyEvents,
        lookahead: Lookahead,
    ) -> None:
        self._config = context.config
        self._writer = context.writer
        self._compares_targets = context.compares_targets
        self._state = state
        self._budget = budget
        self._trials = trials
        self._study_events = study_events
        self._lookahead = lookahead
        job, backend_does = context.config.job, context.enforces_limits
        self._time_limit = None if backend_does else job.time_limit
        self._silence_limit = None if backend_does and not job.is_read else job.silence_limit
        self._warnings = IterationWarnings(context.config, is_pruning=context.is_pruning)
        self._just_started: list[tuple[RunningJob, object]] = []

    def handle(self, event: JobEvent) -> Effects:
        """Handle one event. Late events of a job considered lost are ignored."""
        job = self._state.jobs.get(event.job_id)
        if job is None:
            return NOTHING
        match event:
            case Reported():
                return self._reported(job, event)
            case Finished():
                return self._finished(job, event)
            case Started():
                return self._started(job, event)

    def heard(self, job: RunningJob, time: float) -> None:
        """Register activity of a job, which restarts its silence limit."""
        if self._silence_limit is not None and job.ending is None:
            job.silent_until = time + self._silence_limit

    def record_starts(self) -> None:
        """Record which jobs run, except those that have already ended and are recorded."""
        for job, handle in self._just_started:
            if job.job.id in self._state.jobs and job.started is not None:
                self._writer.job_started(job.trial.id, job.trial.attempt, job.started, handle)
        self._just_started.clear()

    def _started(self, job: RunningJob, event: Started) -> Effects:
        if job.started is not None:  # it was adopted while it was queued
            self._budget.job_ended(job.started, job.started)
        else:
            self._budget.job_waits_no_more(is_first=job.trial.attempt == 1)
        job.started = event.time
        self._budget.job_started(event.time)
        self._just_started.append((job, event.handle))
        if self._time_limit is not None and job.ending is None:
            job.deadline = event.time + self._time_limit
        self.heard(job, event.time)
        return self._study_events.job_started(job, event.time)

    def _reported(self, job: RunningJob, event: Reported) -> Effects:
        if not job.still_counts:
            return NOTHING  # its end is decided: this report is ignored
        self.heard(job, event.time)
        self._warnings.reported(job, event.iteration)
        target = job.target
        metrics = target.counting(event.iteration, event.metrics)
        if not metrics and event.iteration != target.heard(event.iteration):
            return self._passed_target(job, event)
        if job.is_recorded(event.iteration, metrics):
            return NOTHING
        self._budget.iterations += job.count(self._config.objectives, event.iteration, metrics)
        losses = complete(job.trial.losses)
        decision, effects = self._trials.tell(
            job, Status.RUNNING, event.iteration, metrics, losses, event.time
        )
        effects += self.obey(job, decision, event.time)
        job.trial.is_heard = True
        if self._state.is_running and (used := self._budget.iterations_used_up()):
            effects += self._state.end(StudyState.FINISHED, used)
        return effects + self._study_events.job_reported(job, event, metrics)

    def obey(self, job: RunningJob, decision: Decision, time: float) -> Effects:
        """Stop or pause a job if the strategy has decided so and may do so."""
        if decision is not Decision.CONTINUE and self._may_end(job):
            fate = JobState.STOPPED if decision is Decision.STOP else JobState.PAUSED
            effects = self._state.cancel(job, fate, f"{fate.value} by the strategy")
            job.is_decided = True
            return effects
        if job.target.is_met:
            self._state.leave_grace(job, time)
        return NOTHING

    def _may_end(self, job: RunningJob) -> bool:
        """Return whether the strategy may stop or pause a job.

        The job must have reached its minimum number of iterations, but not the trial's last target.
        """
        if job.is_at_last_target:
            return False
        least = self._config.job.min_iterations
        return least == 1 or (job.iteration or 0) >= least

    def _passed_target(self, job: RunningJob, event: Reported) -> Effects:
        """Handle a report beyond the target that has no metric that counts."""
        job.target.note(event.iteration, {})
        if job.target.is_exhausted:
            return self._state.cancel(job, *job.end_at_target())
        if job.target.is_met:
            self._state.leave_grace(job, event.time)
        return NOTHING

    def _finished(self, job: RunningJob, event: Finished) -> Effects:
        del self._state.jobs[job.job.id]
        if job.started is None:
            self._budget.job_waits_no_more(is_first=job.trial.attempt == 1)
        if job.is_withdrawn_by(event):
            return self._withdrawn(job)
        trial, config = job.trial, self._config
        ended = event.time
        if job.started is not None:
            if event.ran is not None:
                ended = job.started + event.ran
            self._budget.job_ended(job.started, ended)
        metrics = event.metrics or {}
        if metrics and job.still_counts:
            job.count(config.objectives, None, metrics)
        state, reason, losses = job.verdict(
            event, config.objectives, config.constraints, config.job.on_time_limit
        )
        if state is JobState.LOST and job.ending is None:
            state, reason = self._lost(trial, reason)
            job.cause = FailureCause.KILLED if state is JobState.FAILED else None
        self._writer.job_ended(
            trial.id,
            trial.attempt,
            state=state,
            reason=reason,
            started=job.started,
            ended=ended,
            iteration=job.iteration,
            iterations=job.iterations,
            metrics=job.metrics,
            cause=job.cause,
        )
        self._lookahead.job_ended(job, state, ended - (job.started or ended))
        self._warnings.finished(job, state)
        trial.metrics = job.all_metrics
        effects, is_best = NOTHING, False
        if state is JobState.LOST:
            self._budget.jobs -= 1
            self._wait_for_another_job(trial)
        elif state is JobState.FAILED and trial.failures < config.job.retries:
            self._trials.retry(trial, ended)
            self._wait_for_another_job(trial)
        else:
            status = self._status(job, state)
            decision, effects = self._trials.tell(
                job, status, job.iteration, metrics, losses, ended
            )
            is_best, settled = self._trials.settle(job, state, losses, decision)
            effects += settled
        return effects + self._study_events.job_finished(
            job, state, reason, losses, ended=ended, time=event.time, is_best=is_best
        )

    def _withdrawn(self, job: RunningJob) -> Effects:
        """Register a job that was ended before it started. It starts when the study is resumed."""
        self._writer.withdraw_job(job.trial.id, job.trial.attempt, job.reason)
        self._budget.jobs -= 1
        return NOTHING

    def _status(self, job: RunningJob, state: JobState) -> Status:
        """Return the status of an ended job that is passed to the strategy.

        For a strategy that compares trials at their targets, a job cut short by its time limit
        counts as stopped.
        """
        compares = self._compares_targets or job.trial.is_target_suggested
        return Status.STOPPED if job.is_cut_short and compares else _STATUS[state]

    def _lost(self, trial: PendingTrial, reason: str) -> tuple[JobState, str]:
        """Return the state of a job that the backend has lost: failed if it was lost too often."""
        trial.lost += 1
        if trial.lost < LOST_AT_MOST:
            return JobState.LOST, reason
        return (
            JobState.FAILED,
            f"lost {trial.lost} times in a row, which suggests that the job is the cause: {reason}",
        )

    def _wait_for_another_job(self, trial: PendingTrial) -> None:
        trial.attempt += 1
        self._state.waiting.append(trial)
