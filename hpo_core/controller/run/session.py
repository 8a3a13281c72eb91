"""One run of a study by one controller: a loop of turns.

A turn handles what the backend says, tells the strategy, fills the free workers with new jobs, and
records all of it in one transaction. Only then it acts: it submits and cancels jobs. The loop
sleeps in `Backend.events` until something happens or time is up. Nothing else moves a study.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from hpo_core.contracts.backend import Backend, JobEvent, Started
from hpo_core.contracts.strategy import Strategy
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.checkpoint_retention import CheckpointRetention
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import NOTHING, Effects, Performer, Recorded, all_of
from hpo_core.controller.run.events import EventHandler
from hpo_core.controller.run.incumbents import Incumbents
from hpo_core.controller.run.job_dispatcher import JobDispatcher
from hpo_core.controller.run.job_factory import JobFactory
from hpo_core.controller.run.limits import Limits
from hpo_core.controller.run.observer_dispatcher import ObserverDispatcher
from hpo_core.controller.run.recovery import Interrupted
from hpo_core.controller.run.resumption import Resumption
from hpo_core.controller.run.state import RunState
from hpo_core.controller.run.study_events import StudyEvents
from hpo_core.controller.run.trials import Trials
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy
from hpo_core.model.budget import Usage
from hpo_core.model.errors import HpoError, StoreError
from hpo_core.model.job import Job, StudyState

_WALL_TIME_EVERY = 0.05  # seconds between two records of it
_BEHIND = 0.5  # seconds by which an event may be old before there may be more of its kind
_SURELY = 0.05  # seconds after which a time is up by any clock


class Session:
    """One run of a study.

    Args:
        context: The study.
        strategy: The strategy, restored.
        rebuild: Makes the strategy again, and restores it from all that is stored.
        budget: What earlier runs have used of the budget.
        incumbents: The best trials so far.
        retention: Which checkpoints are kept.
        observers: Whom to notify.
    """

    def __init__(
        self,
        context: RunContext,
        *,
        strategy: CheckedStrategy,
        rebuild: Callable[[], Strategy],
        budget: BudgetTracker,
        incumbents: Incumbents,
        retention: CheckpointRetention,
        observers: ObserverDispatcher,
    ) -> None:
        self._context = context
        self._strategy = strategy
        self._budget = budget
        self._incumbents = incumbents
        self._retention = retention
        self._observers = observers
        self._state = state = RunState(context.config.job.grace, context.clock)
        events = StudyEvents(context.config, state, budget, is_observed=bool(observers))
        trials = Trials(context, state, strategy, rebuild, budget, incumbents, retention)
        factory = JobFactory(context)
        handler = EventHandler(context, state, budget, trials, events)
        self._study_events = events
        self._trials = trials
        self._factory = factory
        self._handler = handler
        self._dispatcher = JobDispatcher(
            context, state, budget, strategy, trials, retention, factory, events
        )
        self._limits = Limits(context, state, budget)
        self._resumption = Resumption(context, state, budget, handler, factory, retention)
        self._performer: Performer
        self._wall_time_recorded = -math.inf
        self._is_behind = False  # whether there may be more events of the past

    @property
    def error(self) -> HpoError | None:
        """The error that made the study fail, if one did."""
        return self._state.error

    @property
    def running_jobs(self) -> list[Job]:
        """The jobs under way; safe from any thread."""
        return [running.job for running in list(self._state.jobs.values())]

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Ask the session to end, its jobs too; safe from any thread and from signal handlers.

        Whoever calls it wakes the backend.
        """
        is_first = not self._limits.is_stop_requested
        self._limits.request_stop(reason, at_once=at_once)
        if is_first or at_once:
            self._strategy.interrupt(at_once=at_once)

    def expect_enqueued(self) -> None:
        """Look for enqueued configurations in the store; whoever calls it wakes the backend."""
        self._dispatcher.expect_enqueued()

    def set_end(self, moment: float) -> None:
        """End at a moment, in seconds since the epoch; whoever calls it wakes the backend."""
        self._budget.ends_at = moment
        self._interrupt_in_time()

    def blame(self, error: Exception) -> None:
        """Count as failed, whatever it has been, for what a backend or the store has raised."""
        if not isinstance(error, HpoError):
            broken = HpoError(f"the controller broke down: {type(error).__name__}: {error}")
            broken.__cause__ = error
            error = broken
        state = self._state
        state.study, state.reason, state.error = StudyState.FAILED, str(error), error

    def usage(self) -> Usage:
        """Return what is used by now of everything that a budget may limit."""
        return self._budget.usage(self._context.clock.now())

    # -- the loop ---------------------------------------------------------------------------

    def run(self, backend: Backend, interrupted: Sequence[Interrupted]) -> None:
        """Run the study to its end; `error` says whether it failed.

        Args:
            backend: Where jobs run.
            interrupted: Trials that an earlier run has left under way.
        """
        self._interrupt_in_time()
        checkpoints = self._context.folder.checkpoints
        self._performer = Performer(backend, checkpoints, self._observers)
        try:
            jobs = self._resumption.jobs(interrupted)
            has_run = self._context.study.state is not StudyState.CREATED
            alive = frozenset(backend.adopt(list(jobs.values())) if has_run else ())
            self._turn(partial(self._begin, interrupted, jobs, alive), has_adopted=bool(alive))
            while self._state.is_running or self._state.jobs:
                events = self._next_events(backend)
                known_until = events[-1].time if events else math.inf
                self._turn(partial(self._handle, events), known_until)
            self._performer.perform(Recorded(self._context.writer, self._conclude))
        except Exception as error:  # noqa: BLE001  # a backend may raise anything
            self._break_down(error)

    def deliver(self, event: JobEvent) -> None:
        """Handle one event, from within `Backend.events`."""
        if type(event) is Started:  # recorded with the next turn
            self._performer.notify(self._handler.handle(event).notify)
        else:
            self._turn(partial(self._handle, (event,)))

    def _interrupt_in_time(self) -> None:
        """Have the strategy interrupted that still owes an answer when the study's time is up."""
        now = self._context.clock.now()
        is_up = self._budget.wall_time_is_up_at(now) + _SURELY
        self._strategy.interrupt_after(is_up - now)

    def _next_events(self, backend: Backend) -> Sequence[JobEvent]:
        """Wait for what happens next; a stop that a callback has asked for is the next thing."""
        if self._limits.is_stop_requested and self._state.is_running:
            return ()
        if self._is_behind:
            return backend.events(0.0)
        now = self._context.clock.now()
        deadline = self._limits.next_deadline(now)
        return backend.events(None if deadline == math.inf else max(deadline - now, 0.0))

    def _turn(
        self,
        handle: Callable[[], Effects],
        known_until: float = math.inf,
        *,
        has_adopted: bool = False,
    ) -> None:
        """Handle what has happened, record what follows from it, and do that.

        Args:
            handle: Handles it.
            known_until: Up to which moment all that jobs did is handled then. Limits are judged
                as they stood at that moment. While it lies in the past (the controller was stopped
                or is slow, or the study is resumed), nothing new is started if a limit may be
                past by now.
            has_adopted: Whether there are jobs of which nothing is known yet.
        """

        def handle_and_fill() -> Effects:
            effects = handle()
            now = self._context.clock.now()
            self._is_behind = has_adopted or now - known_until > _BEHIND
            if not self._is_behind or self._limits.is_stop_requested:
                effects += self._limits.enforce(now)
            elif known_until < now:
                effects += self._limits.enforce(known_until)
            if self._state.is_running and not (self._is_behind and self._limits.may_be_over(now)):
                effects += self._dispatcher.fill(now)
            self._handler.record_starts()
            self._record_wall_time(now)
            return effects

        self._performer.perform(Recorded(self._context.writer, handle_and_fill))

    def _handle(self, events: Iterable[JobEvent]) -> Effects:
        return all_of(map(self._handler.handle, events))

    def _record_wall_time(self, now: float) -> None:
        if now - self._wall_time_recorded > _WALL_TIME_EVERY or not self._state.jobs:
            self._context.writer.wall_time(self._budget.wall_time(now))
            self._wall_time_recorded = now

    # -- the beginning and the end ----------------------------------------------------------

    def _begin(
        self, interrupted: Iterable[Interrupted], jobs: dict[str, Job], alive: frozenset[str]
    ) -> Effects:
        self._context.writer.study(StudyState.RUNNING)
        effects = self._resumption.resume(interrupted, jobs, alive)
        now = self._context.clock.now()
        return effects + self._study_events.study_started(now, self._incumbents.best)

    def _conclude(self) -> Effects:
        state, effects, now = self._state, NOTHING, self._context.clock.now()
        if state.study is StudyState.FINISHED:
            while state.waiting:
                effects += self._give_up(now)
            effects += self._retention.study_finished()
        self._context.writer.study(state.study, state.reason)
        return effects + self._study_events.study_ended(now)

    def _give_up(self, now: float) -> Effects:
        """Settle a trial that waits for another job, for which nothing is left."""
        trial = self._state.waiting.popleft()
        trial.attempt -= 1
        job = self._factory.running(self._factory.job(trial), trial, now)
        return self._trials.give_up(job, now)

    def _break_down(self, error: Exception) -> None:
        """End as failed, with nothing more said to the backend; its jobs are lost."""
        self._state.jobs.clear()
        self.blame(error)
        try:
            ended = Recorded(self._context.writer, self._conclude).effects
        except StoreError:  # it may be the store that is broken
            ended = self._study_events.study_ended(self._context.clock.now())
        self._performer.notify(ended.notify)
