"""The transactions of turns: record events, and return the effects to perform."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from hpo_core.contracts.backend import JobEvent, Started
from hpo_core.contracts.strategy import Strategy
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.checkpoint_retention import CheckpointRetention
from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.effects import NOTHING, Effects
from hpo_core.controller.run.events import EventHandler
from hpo_core.controller.run.incumbents import Incumbents
from hpo_core.controller.run.job_dispatcher import JobDispatcher
from hpo_core.controller.run.job_factory import JobFactory
from hpo_core.controller.run.limits import Limits
from hpo_core.controller.run.lookahead import Lookahead
from hpo_core.controller.run.recovery import Interrupted
from hpo_core.controller.run.resumption import Resumption
from hpo_core.controller.run.state import RunState
from hpo_core.controller.run.study_events import StudyEvents
from hpo_core.controller.run.trials import Trials
from hpo_core.controller.strategy.checked_strategy import CheckedStrategy
from hpo_core.model.job import Job, JobState, StudyState

_WALL_TIME_EVERY = 0.05  # seconds between two records of the wall time
_BEHIND = 0.5  # age in seconds above which an event suggests that more past events are pending


class Turns:
    """The turns of a run. Each method writes to the store, in a transaction of its caller.

    Args:
        context: The study.
        strategy: The strategy, restored.
        rebuild: Builds the strategy again, and restores it from the stored history.
        budget: The budget and its usage.
        incumbents: The best trials so far.
        retention: Which checkpoints are kept.
        is_observed: Whether there are observers.

    Attributes:
        state: The state of the run.
        limits: The limits of the run.
        is_behind: Whether more past events may be pending.
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
        is_observed: bool,
    ) -> None:
        self.state = state = RunState(context.config.job.grace, context.clock)
        self.limits = Limits(context, state, budget)
        self.is_behind = False
        self._clock = context.clock
        self._writer = context.writer
        self._budget = budget
        self._retention = retention
        self._study_events = events = StudyEvents(
            context.config,
            context.study.uid,
            state,
            budget,
            incumbents,
            is_observed=is_observed,
        )
        self._trials = trials = Trials(
            context, state, strategy, rebuild, budget, incumbents, retention
        )
        self._factory = factory = JobFactory(context)
        lookahead = Lookahead(context.config.workers, is_allowed=context.may_suggest_ahead)
        self._handler = EventHandler(context, state, budget, trials, events, lookahead)
        self._dispatcher = JobDispatcher(
            context, state, budget, strategy, trials, retention, factory, events, lookahead
        )
        self._resumption = Resumption(
            context, state, budget, self._handler, factory, retention, lookahead
        )
        self._wall_time_recorded = -math.inf

    def expect_enqueued(self) -> None:
        """Look for enqueued configurations in the next turn. Thread-safe."""
        self._dispatcher.expect_enqueued()

    def unfinished_jobs(self, interrupted: Iterable[Interrupted]) -> dict[str, Job]:
        """Return the unfinished jobs of an earlier run by id, for the backend to adopt."""
        return self._resumption.jobs(interrupted)

    def begin(
        self, interrupted: Iterable[Interrupted], jobs: dict[str, Job], alive: frozenset[str]
    ) -> Effects:
        """Start the run, with the unfinished trials of an earlier run.

        Args:
            interrupted: The unfinished trials.
            jobs: Their jobs, as `unfinished_jobs` returns them.
            alive: The ids of the jobs that the backend has adopted.
        """
        self._writer.study(StudyState.RUNNING)
        effects = self._resumption.resume(interrupted, jobs, alive)
        now = self._clock.now()
        effects += self._study_events.study_started(now)
        return self._continued(effects, has_adopted=bool(alive))

    def handle(self, events: Sequence[JobEvent], known_until: float = math.inf) -> Effects:
        """Handle events, enforce the limits, and fill the free workers.

        Args:
            events: The events.
            known_until: The time up to which all events of jobs are handled. Limits are evaluated
                at this time. While it is in the past (the controller was suspended or is slow, or
                the study is resumed), no job is started if a limit may be exceeded by now.
        """
        effects = NOTHING
        for event in events:
            effects += self._handler.handle(event)
        return self._continued(effects, known_until)

    def started(self, event: Started) -> Effects:
        """Handle the start of a job, which is recorded with the next turn."""
        return self._handler.handle(event)

    def conclude(self) -> Effects:
        """End the run."""
        state, effects, now = self.state, NOTHING, self._clock.now()
        if state.study is StudyState.FINISHED:
            while state.waiting:
                effects += self._give_up(now)
            effects += self._retention.study_finished()
        self._writer.study(state.study, state.reason)
        return effects + self.ended()

    def ended(self) -> Effects:
        """Return the effects of the end, which notify the observers."""
        return self._study_events.study_ended(self._clock.now())

    def _continued(
        self, effects: Effects, known_until: float = math.inf, *, has_adopted: bool = False
    ) -> Effects:
        """Return effects, with those of enforcing limits and filling free workers added.

        Args:
            effects: The effects of events.
            known_until: See `handle`.
            has_adopted: Whether there are adopted jobs without events so far.
        """
        now, state = self._clock.now(), self.state
        self.is_behind = has_adopted or now - known_until > _BEHIND
        if not self.is_behind or self.limits.is_stop_requested:
            effects += self.limits.enforce(now)
        elif known_until < now:
            effects += self.limits.enforce(known_until)
        if state.is_running and not (self.is_behind and self.limits.may_be_over(now)):
            effects += self._dispatcher.fill(now)
        self._handler.record_starts()
        if now - self._wall_time_recorded > _WALL_TIME_EVERY or not state.jobs:
            self._writer.wall_time(self._budget.wall_time(now))
            self._wall_time_recorded = now
        return effects

    def _give_up(self, now: float) -> Effects:
        """Settle a trial that waits for a job when no budget is left for it."""
        trial = self.state.waiting.popleft()
        if trial.is_queued:
            self._writer.job_ended(
                trial.id,
                trial.attempt,
                state=JobState.STOPPED,
                reason=self.state.reason,
                started=None,
                ended=now,
                iteration=None,
                iterations=0,
                metrics={},
            )
        else:
            trial.attempt -= 1
        job = self._factory.running(self._factory.job(trial), trial, now)
        return self._trials.give_up(job, now)
