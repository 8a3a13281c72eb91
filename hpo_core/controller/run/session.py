"""One run of a study by one controller: a loop of turns.

A turn handles the backend's events, tells the strategy, fills free workers with new jobs, and
records all of this in one transaction. Only then does it act: it submits and cancels jobs. The loop
sleeps in `Backend.events` until an event occurs or time is up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hpo_core.contracts.backend import Backend, JobEvent, Started
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import Performer, Recorded
from hpo_core.controller.run.observer_dispatcher import ObserverDispatcher
from hpo_core.controller.run.recovery import Interrupted
from hpo_core.controller.run.turns import Turns
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy
from hpo_core.model.budget import Usage
from hpo_core.model.errors import HpoError, StoreError
from hpo_core.model.job import Job, StudyState

_SURELY = 0.05  # tolerance in seconds between clocks


class Session:
    """The loop of one run.

    Args:
        context: The study.
        turns: The transactions of turns.
        strategy: The strategy, which is interrupted when the run should end.
        budget: The budget and its usage.
        observers: The observers to notify.
    """

    def __init__(
        self,
        context: RunContext,
        turns: Turns,
        strategy: CheckedStrategy,
        budget: BudgetTracker,
        observers: ObserverDispatcher,
    ) -> None:
        self._context = context
        self._writer = context.writer
        self._turns = turns
        self._state = turns.state
        self._limits = turns.limits
        self._strategy = strategy
        self._budget = budget
        self._observers = observers
        self._performer: Performer

    @property
    def error(self) -> HpoError | None:
        """The error that made the study fail, or None."""
        return self._state.error

    @property
    def running_jobs(self) -> list[Job]:
        """The running jobs. Thread-safe."""
        return [running.job for running in list(self._state.jobs.values())]

    def usage(self) -> Usage:
        """Return the used amount of each quantity that a budget can limit."""
        return self._budget.usage(self._context.clock.now())

    # -- requests of other threads, which must then wake the backend -------------------------

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Request the session and its jobs to end. Safe in any thread and signal handler."""
        is_first = not self._limits.is_stop_requested
        self._limits.request_stop(reason, at_once=at_once)
        if is_first or at_once:
            self._strategy.interrupt(at_once=at_once)

    def expect_enqueued(self) -> None:
        """Look for enqueued configurations in the store."""
        self._turns.expect_enqueued()

    def set_end(self, moment: float) -> None:
        """Set the end time, in seconds since the epoch."""
        self._budget.ends_at = moment
        self._interrupt_in_time()

    # -- the loop ---------------------------------------------------------------------------

    def run(self, backend: Backend, interrupted: Sequence[Interrupted]) -> None:
        """Run the study to its end; see `error` for a failure.

        Args:
            backend: The backend.
            interrupted: Trials that were running when an earlier run ended.
        """
        self._interrupt_in_time()
        self._performer = Performer(backend, self._context.folder.checkpoints, self._observers)
        turns, state, writer = self._turns, self._state, self._writer
        perform = self._performer.perform
        try:
            jobs = turns.unfinished_jobs(interrupted)
            has_run = self._context.study.state is not StudyState.CREATED
            alive = frozenset(backend.adopt(list(jobs.values())) if has_run else ())
            perform(Recorded(writer, turns.begin, interrupted, jobs, alive))
            while state.is_running or state.jobs:
                events = self._next_events(backend)
                known_until = events[-1].time if events else math.inf
                perform(Recorded(writer, turns.handle, events, known_until))
            perform(Recorded(writer, turns.conclude))
        except Exception as error:  # noqa: BLE001  # a backend may raise anything
            self._break_down(error)

    def deliver(self, event: JobEvent) -> None:
        """Handle one event, from within `Backend.events`."""
        if type(event) is Started:
            self._performer.notify(self._turns.started(event).notify)
        else:
            self._performer.perform(Recorded(self._writer, self._turns.handle, (event,)))

    def blame(self, error: Exception) -> None:
        """Mark the study as failed because of an exception of the backend or the store."""
        if not isinstance(error, HpoError):
            broken = HpoError(f"the controller failed: {type(error).__name__}: {error}")
            broken.__cause__ = error
            error = broken
        self._state.mark(StudyState.FAILED, str(error), error)

    def _next_events(self, backend: Backend) -> Sequence[JobEvent]:
        """Wait for the next events; return immediately if a callback has requested to stop."""
        if self._limits.is_stop_requested and self._state.is_running:
            return ()
        if self._turns.is_behind:
            return backend.events(0.0)
        now = self._context.clock.now()
        deadline = self._limits.next_deadline(now)
        return backend.events(None if deadline == math.inf else max(deadline - now, 0.0))

    def _interrupt_in_time(self) -> None:
        """Interrupt the strategy if it has not answered when the study's time is up."""
        now = self._context.clock.now()
        is_up = self._budget.wall_time_is_up_at(now) + _SURELY
        self._strategy.interrupt_after(is_up - now)

    def _break_down(self, error: Exception) -> None:
        """End the study as failed without further calls to the backend; its jobs are lost."""
        self._state.jobs.clear()
        self.blame(error)
        try:
            ended = Recorded(self._writer, self._turns.conclude).effects
        except StoreError:  # the store itself may be broken
            ended = self._turns.ended()
        self._performer.notify(ended.notify)
