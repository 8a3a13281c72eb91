"""Track the use of a budget: whether another job fits, and when time is up."""

from __future__ import annotations

import math

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.model.budget import Budget, Usage
from hpo_core.model.durations import human
from hpo_core.model.job import TrialState
from hpo_core.model.text import counted
from hpo_core.store.records import Totals
from hpo_core.store.store import Store


class BudgetTracker:
    """Tracks how much of its budget a study has used.

    Args:
        budget: The limits.
        totals: The amounts used in earlier sessions.
        wall_time: Run time of earlier sessions in seconds.
        now: Start time of this session, in seconds since the epoch.
    """

    def __init__(self, budget: Budget, totals: Totals, wall_time: float, now: float) -> None:
        self.budget = budget
        self.trials = totals.trials
        self.jobs = totals.jobs
        self.completed = totals.completed
        self.failed = totals.failed
        self.stopped = totals.stopped
        self.paused = totals.paused
        self.iterations = totals.iterations
        self.failed_at_start = 0
        """Number of trials that failed in this session before the first one ended otherwise."""
        self.session_began = now
        self.ends_at = math.inf
        """A time at which the session ends, independent of the budget; see `set_time_limit`."""
        self._compute_time = totals.compute_time
        self._wall_time = wall_time
        self._is_at_start = True  # until a trial of this session ends otherwise than failed
        self._waiting = 0  # jobs that are submitted, and have not started
        self._waiting_trials = 0  # those that are the first job of their trial
        self._running = 0
        self._started_sum = 0.0  # of the running jobs' start times

    # -- updates -------------------------------------------------------------------

    def job_submitted(self, *, is_first: bool) -> None:
        """Register a job that is submitted; `is_first` for the first one of its trial."""
        self._waiting += 1
        self._waiting_trials += is_first

    def job_waits_no_more(self, *, is_first: bool) -> None:
        """Register that a submitted job has started, or ended before that."""
        self._waiting -= 1
        self._waiting_trials -= is_first

    def job_started(self, time: float) -> None:
        """Register a job that has started."""
        self._running += 1
        self._started_sum += time

    def job_ended(self, started: float, ended: float) -> None:
        """Register the end of a job that had started."""
        self._running -= 1
        self._started_sum = self._started_sum - started if self._running else 0.0
        self._compute_time += max(ended - started, 0.0)

    @property
    def running(self) -> int:
        """Number of jobs that run."""
        return self._running

    def job_lost(self, ran: float) -> None:
        """Register a lost job of an earlier session, with its run time in seconds."""
        self.jobs -= 1
        self._compute_time += ran

    def trial_resumed(self, state: TrialState) -> None:
        """Register a trial that is resumed from a state."""
        match state:
            case TrialState.COMPLETED:
                self.completed -= 1
            case TrialState.PAUSED:
                self.paused -= 1
            case TrialState.FAILED:
                self.failed -= 1

    def trial_ended(self, state: TrialState) -> None:
        """Register a trial that has ended or is paused."""
        self._is_at_start = self._is_at_start and state is TrialState.FAILED
        match state:
            case TrialState.PAUSED:
                self.paused += 1
            case TrialState.COMPLETED:
                self.completed += 1
            case TrialState.STOPPED:
                self.stopped += 1
            case TrialState.FAILED:
                self.failed += 1
                self.failed_at_start += self._is_at_start

    # -- limits on new jobs ----------------------------------------------------------------------

    def no_room_for_a_job(self, under_way: int) -> str | None:
        """Return which limit prevents launching another job, or None.

        Args:
            under_way: Number of trials that are running or about to run, each of which may still
                complete.
        """
        limit = self.budget.jobs
        if limit is None:
            return None
        if self.budget.count == "completed":
            return (
                _all(limit, "trial", "completed") if self.completed + under_way >= limit else None
            )
        return _all(limit, "job", "run") if self.jobs >= limit else None

    def no_room_for_a_trial(self) -> str | None:
        """Return which limit prevents starting another trial, or None."""
        limit = self.budget.trials
        if limit is not None and self.trials >= limit:
            return _all(limit, "trial", "run")
        return None

    # -- usage -----------------------------------------------------------------------

    def wall_time(self, now: float) -> float:
        """Return the time that the study has run in seconds, over all its sessions."""
        return self._wall_time + now - self.session_began

    def compute_time(self, now: float) -> float:
        """Return the total run time of all jobs in seconds, running jobs included."""
        return self._compute_time + self._running * now - self._started_sum

    def usage(self, now: float) -> Usage:
        """Return the used amount of each quantity that a budget can limit."""
        completed_count = self.budget.count == "completed"
        return Usage(
            trials=self.trials,
            jobs=self.completed if completed_count else self.jobs,
            iterations=self.iterations,
            compute_time=self.compute_time(now),
            wall_time=self.wall_time(now),
        )

    def usage_by_started_jobs(self, now: float) -> Usage:
        """Return the same without jobs that have not started, and trials with no other job."""
        usage = self.usage(now)
        waiting = 0 if self.budget.count == "completed" else self._waiting
        return msgspec.structs.replace(
            usage, trials=usage.trials - self._waiting_trials, jobs=usage.jobs - waiting
        )

    def iterations_used_up(self) -> str | None:
        """Return a message if no iterations are left, else None."""
        limit = self.budget.iterations
        if limit is not None and self.iterations >= limit:
            return _all(limit, "iteration", "run")
        return None

    def used_up(self, now: float) -> str | None:
        """Return which limit ends the study and its running jobs now, or None."""
        budget = self.budget
        if used := self.iterations_used_up():
            return used
        if budget.wall_time is not None and self.wall_time(now) >= budget.wall_time:
            return f"its wall time of {human(budget.wall_time)} has passed"
        if budget.compute_time is not None and self.compute_time(now) >= budget.compute_time:
            return f"its compute time of {human(budget.compute_time)} has been used"
        return None

    def time_is_up_at(self, now: float) -> float:
        """Return the time at which `used_up` will return a limit if no event occurs before."""
        is_up = self.wall_time_is_up_at(now)
        if self.budget.compute_time is not None and self._running:
            left = self.budget.compute_time - self.compute_time(now)
            is_up = min(is_up, now + left / self._running)
        return is_up

    def wall_time_is_up_at(self, now: float) -> float:
        """Return the time at which the session ends at the latest."""
        if self.budget.wall_time is None:
            return self.ends_at
        return min(self.ends_at, now + self.budget.wall_time - self.wall_time(now))


def stored_usage(store: Store, name: str, config: StudyConfig) -> Usage:
    """Return the usage of a stored study."""
    study = store.study(name)
    totals = store.totals(study.id)
    return BudgetTracker(config.budget, totals, study.wall_time, 0.0).usage(0.0)


def _all(limit: int, noun: str, done: str) -> str:
    """Return a clause that the budget is used up: ``all 30 jobs of its budget have run``."""
    if limit == 1:
        return f"the only {noun} of its budget has {done}"
    return f"all {counted(limit, noun)} of its budget have {done}"
