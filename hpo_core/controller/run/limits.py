"""End jobs and the study at their limits: budgets, times, targets, and requests to stop."""

from __future__ import annotations

import math

from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import NOTHING, Effects
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.controller.run.state import RunState
from hpo_core.model.job import StudyState, ran_too_long, silent_too_long


class Limits:
    """The limits of one run.

    Args:
        context: The study.
        state: Where the run stands.
        budget: What is used of the budget.
    """

    def __init__(self, context: RunContext, state: RunState, budget: BudgetTracker) -> None:
        self._job = context.config.job
        self._state = state
        self._budget = budget
        self._stop_reason: str | None = None
        self._force = False  # whether to kill jobs that are ending

    @property
    def is_stop_requested(self) -> bool:
        """Whether the user has requested to stop."""
        return self._stop_reason is not None

    def request_stop(self, reason: str, *, at_once: bool) -> None:
        """Request to end the study and its jobs; takes effect when limits are enforced next.
        Thread-safe.

        Args:
            reason: A human-readable reason; the first one is kept.
            at_once: Kill the jobs, without the grace period.
        """
        if self._stop_reason is None:
            self._stop_reason = reason
        if at_once:
            self._state.grace = 0.0
            self._force = True

    def may_be_over(self, now: float) -> bool:
        """Return whether a limit of the study is exceeded, as far as known."""
        return now >= self._budget.ends_at or self._budget.used_up(now) is not None

    def next_deadline(self, now: float) -> float:
        """Return the time of the next limit if no event occurs before."""
        nearest = math.inf
        for job in self._state.jobs.values():
            nearest = min(nearest, job.deadline, job.silent_until)
        return min(nearest, self._budget.time_is_up_at(now)) if self._state.is_running else nearest

    def enforce(self, now: float) -> Effects:
        """End the study and jobs whose limits are exceeded."""
        effects = self._enforce_on_study(now) if self._state.is_running else NOTHING
        for job in self._state.jobs.values():
            if self._is_overdue(job, now):
                effects += self._end_overdue(job, now)
        if self._force:
            self._force = False
            effects += self._state.force()
        return effects

    def _enforce_on_study(self, now: float) -> Effects:
        if self._stop_reason is not None:
            return self._state.end(StudyState.INTERRUPTED, self._stop_reason)
        if now >= self._budget.ends_at:
            return self._state.end(StudyState.INTERRUPTED, "the time limit is reached")
        if reason := self._budget.used_up(now):
            return self._state.end(StudyState.FINISHED, reason)
        return NOTHING

    def _is_overdue(self, job: RunningJob, now: float) -> bool:
        is_late = now >= job.deadline or now >= job.silent_until
        return is_late or (self._force and job.target.is_reached)

    def _end_overdue(self, job: RunningJob, now: float) -> Effects:
        if job.ending is not None:
            return NOTHING
        if job.target.is_reached and (job.target.is_met or not self._state.is_running):
            return self._state.cancel(job, *job.end_at_target())
        limits = self._job
        is_silent = now < job.deadline
        reason = (
            silent_too_long(limits.silence_limit or 0.0)
            if is_silent
            else ran_too_long(limits.time_limit or 0.0)
        )
        fate = job.end_at_limit(reason, is_silent=is_silent, on_time_limit=limits.on_time_limit)
        return self._state.cancel(job, *fate)
