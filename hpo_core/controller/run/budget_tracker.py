"""What is used of a budget, whether there is room for more, and when time is up."""

from __future__ import annotations

import math

from hpo_core.config import StudyConfig
from hpo_core.model.budget import Budget, Usage
from hpo_core.model.durations import human
from hpo_core.model.job import TrialState
from hpo_core.model.text import counted
from hpo_core.store.records import Totals
from hpo_core.store.store import Store


class BudgetTracker:
    """Counts what a study uses of its budget.

    Args:
        budget: The limits.
        totals: What earlier sessions have used.
        wall_time: Seconds that earlier sessions have run.
        now: When this session begins, in seconds since the epoch.
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
        """Trials that have failed in this session; counted until one has ended otherwise."""
        self.session_began = now
        self.ends_at = math.inf
        """A moment at which the session ends, whatever the budget; see `set_time_limit`."""
        self._compute_time = totals.compute_time
        self._wall_time = wall_time
        self._is_at_start = True  # until a trial of this session ends otherwise than failed
        self._running = 0
        self._started_sum = 0.0  # of the running jobs' start times

    # -- jobs come and go -------------------------------------------------------------------

    def job_started(self, time: float) -> None:
        """A job has begun to use compute time."""
        self._running += 1
        self._started_sum += time

    def job_ended(self, started: float, ended: float) -> None:
        """A job that had begun has ended."""
        self._running -= 1
        self._started_sum = self._started_sum - started if self._running else 0.0
        self._compute_time += max(ended - started, 0.0)

    def job_lost(self, ran: float) -> None:
        """A job of an earlier session was lost, after so many seconds."""
        self.jobs -= 1
        self._compute_time += ran

    def trial_resumed(self, state: TrialState) -> None:
        """A trial that had ended in this state, or was paused, is resumed."""
        match state:
            case TrialState.COMPLETED:
                self.completed -= 1
            case TrialState.PAUSED:
                self.paused -= 1
            case TrialState.FAILED:
                self.failed -= 1

    def trial_ended(self, state: TrialState) -> None:
        """A trial has ended, or is paused."""
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

    # -- room for more ----------------------------------------------------------------------

    def no_room_for_a_job(self, under_way: int) -> str | None:
        """Return which limit keeps another job from being launched, or None.

        Args:
            under_way: Trials that are running or about to: each may still become complete.
        """
        limit = self.budget.jobs
        if limit is None:
            return None
        if self.budget.count == "completed":
            enough = f"{counted(limit, 'trial')} {'is' if limit == 1 else 'are'} completed"
            return enough if self.completed + under_way >= limit else None
        return f"the budget of {counted(limit, 'job')} is used up" if self.jobs >= limit else None

    def no_room_for_a_trial(self) -> str | None:
        """Return which limit keeps another trial from being started, or None."""
        limit = self.budget.trials
        if limit is not None and self.trials >= limit:
            return f"the budget of {counted(limit, 'trial')} is used up"
        return None

    # -- what is used -----------------------------------------------------------------------

    def wall_time(self, now: float) -> float:
        """Return the seconds that the study has run, over all its sessions."""
        return self._wall_time + now - self.session_began

    def compute_time(self, now: float) -> float:
        """Return the seconds that all jobs have run, those of running ones included."""
        return self._compute_time + self._running * now - self._started_sum

    def usage(self, now: float) -> Usage:
        """Return what is used of everything that a budget may limit."""
        completed_count = self.budget.count == "completed"
        return Usage(
            trials=self.trials,
            jobs=self.completed if completed_count else self.jobs,
            iterations=self.iterations,
            compute_time=self.compute_time(now),
            wall_time=self.wall_time(now),
        )

    def iterations_used_up(self) -> str | None:
        """Say so if no iterations are left; else None."""
        limit = self.budget.iterations
        if limit is not None and self.iterations >= limit:
            return f"the budget of {counted(limit, 'iteration')} is used up"
        return None

    def used_up(self, now: float) -> str | None:
        """Return which limit ends the study now, running jobs included; None if none does."""
        budget = self.budget
        if used := self.iterations_used_up():
            return used
        if budget.wall_time is not None and self.wall_time(now) >= budget.wall_time:
            return f"the wall time of {human(budget.wall_time)} is used up"
        if budget.compute_time is not None and self.compute_time(now) >= budget.compute_time:
            return f"the compute time of {human(budget.compute_time)} is used up"
        return None

    def time_is_up_at(self, now: float) -> float:
        """Return the moment at which `used_up` will be true if nothing else happens."""
        is_up = self.wall_time_is_up_at(now)
        if self.budget.compute_time is not None and self._running:
            left = self.budget.compute_time - self.compute_time(now)
            is_up = min(is_up, now + left / self._running)
        return is_up

    def wall_time_is_up_at(self, now: float) -> float:
        """Return the moment at which the session ends, whatever happens until then."""
        if self.budget.wall_time is None:
            return self.ends_at
        return min(self.ends_at, now + self.budget.wall_time - self.wall_time(now))


def stored_usage(store: Store, name: str, config: StudyConfig) -> Usage:
    """Return what a study has used of its budget, as it is stored."""
    study = store.study(name)
    totals = store.totals(study.id)
    return BudgetTracker(config.budget, totals, study.wall_time, 0.0).usage(0.0)
