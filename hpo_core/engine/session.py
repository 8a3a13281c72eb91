"""One run of a study by one controller: a loop of turns.

A turn takes in what the backend says, tells the strategy, fills the free workers with new jobs,
and records all of it in one transaction; only then it acts: submits and cancels. The loop sleeps
in `Backend.events` until something happens or time is up. Nothing else moves a study.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from hpo_core.contracts.backend import Backend, JobEvent, Started
from hpo_core.contracts.observer import (
    StudyEnded,
    StudyStarted,
)
from hpo_core.engine.desk import Desk
from hpo_core.engine.flight import Flight, PendingTrial
from hpo_core.engine.intake import Intake
from hpo_core.engine.launcher import Launcher
from hpo_core.engine.recovery import Interrupted
from hpo_core.engine.result import best_trials
from hpo_core.engine.setting import Setting
from hpo_core.model.budget import Usage
from hpo_core.model.errors import HpoError, StoreError
from hpo_core.model.job import Job, JobState, StudyState, ran_too_long, silent_too_long
from hpo_core.model.objective import complete
from hpo_core.model.report import Status

_WALL_TIME_EVERY = 0.05  # seconds between two records of it
_BEHIND = 0.5  # seconds by which an event may be old before there may be more of its kind


class Session:
    """One run of a study.

    Args:
        setting: The study, with all that it needs to run.
    """

    def __init__(self, setting: Setting) -> None:
        self._desk = Desk(setting)
        self._intake = Intake(self._desk)
        self._launcher = Launcher(self._desk)
        self._config = setting.config
        self._study = setting.study
        self._store = setting.store
        self._clock = setting.clock
        self._accounts = setting.accounts
        self._announcer = setting.announcer
        self._incumbents = setting.incumbents
        self._writer = setting.writer
        self._keeper = setting.keeper
        self._checkpoints = setting.folder.checkpoints
        self._backend: Backend
        self._stop_reason: str | None = None
        self._force = False  # whether jobs that are ending are to be ended at once
        self._wall_time_recorded = -math.inf
        self._is_behind = False  # whether there may be more events of the past
        self._has_adopted = False  # whether jobs were taken over in this turn

    @property
    def error(self) -> HpoError | None:
        """The error that made the study fail, if one did."""
        return self._desk.error

    @property
    def running_jobs(self) -> list[Job]:
        """The jobs under way; safe from any thread."""
        return [flight.job for flight in list(self._desk.flights.values())]

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Ask the session to end, its jobs too; safe from any thread and from signal handlers.

        Whoever calls it wakes the backend.
        """
        if self._stop_reason is None:
            self._stop_reason = reason
        if at_once:
            self._desk.grace = 0.0
            self._force = True

    def expect_enqueued(self) -> None:
        """Look for enqueued configurations in the store; whoever calls it wakes the backend."""
        self._launcher.expect_enqueued()

    def set_end(self, moment: float) -> None:
        """End at a moment, in seconds since the epoch; whoever calls it wakes the backend."""
        self._accounts.ends_at = moment

    def blame(self, error: Exception) -> None:
        """Count as failed, whatever it has been, for what a backend or the store has raised."""
        if not isinstance(error, HpoError):
            broken = HpoError(f"the controller broke down: {type(error).__name__}: {error}")
            broken.__cause__ = error
            error = broken
        self._desk.state, self._desk.reason, self._desk.error = StudyState.FAILED, str(error), error

    def usage(self) -> Usage:
        """Return what is used by now of everything that a budget may limit."""
        return self._accounts.usage(self._clock.now())

    # -- the loop ---------------------------------------------------------------------------

    def run(self, backend: Backend, interrupted: Iterable[Interrupted]) -> None:
        """Run the study to its end; `state`, `reason` and `error` say how it ended.

        Args:
            backend: Where jobs run.
            interrupted: Trials that an earlier session has left under way.
        """
        self._backend = backend
        try:
            self._turn(partial(self._begin, list(interrupted)))
            while self._desk.is_running or self._desk.flights:
                events = self._next_events()
                known_until = events[-1].time if events else math.inf
                self._turn(partial(self._take_in_all, events), known_until)
            self._turn(self._conclude)
        except Exception as error:  # noqa: BLE001  # a backend may raise anything
            self._break_down(error)

    def _next_events(self) -> Sequence[JobEvent]:
        """Wait for what happens next; a stop that a callback has asked for is the next thing."""
        if self._stop_reason is not None and self._desk.is_running:
            return ()
        return self._backend.events(self._timeout())

    def deliver(self, event: JobEvent) -> None:
        """Deal with one event, from within `Backend.events`."""
        if type(event) is Started:
            self._intake.take_in(event)
            self._announce()
        else:
            self._turn(partial(self._intake.take_in, event))

    def _turn(self, take_in: Callable[[], object], known_until: float = math.inf) -> None:
        """Handle what has happened, and record and do what follows from it.

        Args:
            take_in: Handles it.
            known_until: Up to which moment all that jobs did is handled then. Limits are judged
                as they stood at that moment. While it lies in the past (the controller was stopped
                or is slow, or the study is resumed), nothing new is started if a limit may be
                past by now.
        """
        with self._writer.turn():
            take_in()
            now = self._clock.now()
            known_until = min(known_until, now)
            self._is_behind = self._has_adopted or now - known_until > _BEHIND
            self._has_adopted = False
            if not self._is_behind or self._stop_reason is not None:
                self._enforce_limits(now)
            elif known_until < now:
                self._enforce_limits(known_until)
            if self._desk.is_running and not (self._is_behind and self._may_be_over(now)):
                self._launcher.fill(now)
            self._intake.record_starts()
            if now - self._wall_time_recorded > _WALL_TIME_EVERY or not self._desk.flights:
                self._writer.wall_time(self._accounts.wall_time(now))
                self._wall_time_recorded = now
        self._act()

    def _may_be_over(self, now: float) -> bool:
        """Say whether a limit of the study is past, as far as that is known by now."""
        return now >= self._accounts.ends_at or self._accounts.used_up(now) is not None

    def _act(self) -> None:
        submit, self._desk.to_submit = self._desk.to_submit, []
        cancel, self._desk.to_cancel = self._desk.to_cancel, []
        for job_id in self._desk.to_put_in_place:
            self._checkpoints.put_in_place(job_id)
        self._desk.to_put_in_place.clear()
        for job in submit:
            self._backend.submit(job)
        for job_to_end in cancel:
            self._backend.cancel(job_to_end, grace=self._desk.grace)
        self._keeper.act()
        self._announce()

    def _announce(self) -> None:
        if self._desk.news:
            news, self._desk.news = self._desk.news, []
            for event in news:
                self._announcer.tell(event)

    def _timeout(self) -> float | None:
        if self._is_behind:
            return 0.0
        flights = self._desk.flights.values()
        nearest = min((min(each.deadline, each.silent_until) for each in flights), default=math.inf)
        now = self._clock.now()
        if self._desk.is_running:
            nearest = min(nearest, self._accounts.time_is_up_at(now))
        return None if nearest == math.inf else max(nearest - now, 0.0)

    # -- the beginning and the end ----------------------------------------------------------

    def _begin(self, interrupted: list[Interrupted]) -> None:
        now = self._clock.now()
        self._writer.study(StudyState.RUNNING)
        left = {
            found.job.id: msgspec.structs.replace(
                self._launcher.job(found.trial, -1),
                handle=found.job.handle,
                reports=len(found.reports),
            )
            for found in interrupted
            if found.job
        }
        alive = set(self._backend.adopt(list(left.values())))
        self._has_adopted = bool(alive)
        self._recover_checkpoints()
        for found in interrupted:
            if found.job is None:
                self._desk.waiting.append(found.trial)
            elif found.job.id in alive:
                self._carry_on(found, left[found.job.id])
            else:
                self._record_lost(found)
                self._desk.waiting.append(found.trial)
        if self._desk.has_observers:
            self._desk.news.append(
                StudyStarted(
                    name=self._config.name,
                    objectives=self._config.objectives,
                    budget=self._config.budget,
                    workers=self._config.workers,
                    strategy=self._config.strategy.name,
                    time=now,
                    progress=self._desk.progress(now),
                    best=self._incumbents.best,
                )
            )

    def _recover_checkpoints(self) -> None:
        """Finish copies of checkpoints, and delete what an earlier session did not come to."""
        store, study = self._store, self._study
        if any(self._checkpoints.copies()):
            self._checkpoints.recover({job.id for job in store.jobs(study.id)})
        if not self._keeper.is_keeping_all:
            keep = self._config.job.keep_checkpoints or 0
            best = best_trials(store, study, self._config, keep)
            self._keeper.begin(
                [(trial.id, trial.losses) for trial in best if trial.losses],
                store.trial_states(study.id),
            )

    def _carry_on(self, found: Interrupted, job: Job) -> None:
        """Take a job that outlived its controller under way again."""
        assert found.job is not None
        found.trial.attempt -= 1
        flight = self._desk.flight(job, found.trial, found.job.queued)
        flight.iteration, flight.iterations = found.iteration, found.iterations
        flight.metrics = found.metrics
        for iteration, metrics in found.reports:
            flight.target.note(iteration, metrics)
        self._accounts.iterations += found.iterations
        self._desk.flights[job.id] = flight
        self._intake.take_in(
            Started(job.id, found.job.started or found.job.queued, found.job.handle)
        )
        now = self._clock.now()
        self._intake.heard(flight, now)
        if flight.target.is_met:
            self._desk.leave_grace(flight, now)

    def _record_lost(self, found: Interrupted) -> None:
        assert found.job is not None
        started, seen = found.job.started, self._store.last_sign_of_life(self._study.id)
        ended = max(started or found.job.queued, seen)
        self._accounts.job_lost(0.0 if started is None else ended - started)
        self._accounts.iterations += found.iterations
        self._writer.job_ended(
            found.job.trial_id,
            found.job.attempt,
            state=JobState.LOST,
            reason="its controller died",
            started=started,
            ended=ended,
            iteration=found.iteration,
            iterations=found.iterations,
            metrics=found.metrics,
        )

    def _conclude(self) -> None:
        if self._desk.state is StudyState.FINISHED:
            while self._desk.waiting:
                self._give_up(self._desk.waiting.popleft())
            self._keeper.study_finished()
        self._writer.study(self._desk.state, self._desk.reason)
        if self._desk.has_observers:
            now = self._clock.now()
            self._desk.news.append(
                StudyEnded(
                    name=self._config.name,
                    state=self._desk.state,
                    reason=self._desk.reason,
                    time=now,
                    progress=self._desk.progress(now),
                )
            )

    def _break_down(self, error: Exception) -> None:
        """End as failed, with nothing more said to the backend; its jobs are lost."""
        self._desk.flights.clear()
        self.blame(error)
        with suppress(StoreError), self._writer.turn():  # it may be the store that is broken
            self._conclude()
        self._announce()

    def _give_up(self, trial: PendingTrial) -> None:
        """Settle a trial that waits for another job, for which nothing is left."""
        trial.attempt -= 1
        now = self._clock.now()
        flight = self._desk.flight(self._launcher.job(trial), trial, now)
        state = JobState.FAILED if trial.failures else JobState.STOPPED
        losses = None if trial.failures else complete(trial.losses)
        decision = self._desk.tell(flight, Status(state.value), None, {}, losses, now)
        self._desk.settle(flight, state, losses, decision)

    # -- limits -----------------------------------------------------------------------------

    def _enforce_limits(self, now: float) -> None:
        if self._desk.is_running:
            if self._stop_reason is not None:
                self._desk.end(StudyState.INTERRUPTED, self._stop_reason)
            elif now >= self._accounts.ends_at:
                self._desk.end(StudyState.INTERRUPTED, "the time limit is reached")
            elif reason := self._accounts.used_up(now):
                self._desk.end(StudyState.FINISHED, reason)
        for flight in self._desk.flights.values():
            is_overdue = now >= flight.deadline or now >= flight.silent_until
            if is_overdue or (self._force and flight.target.is_reached):
                self._end_overdue(flight, now)
        if self._force:
            self._force = False
            self._desk.to_cancel = list(self._desk.flights)

    def _end_overdue(self, flight: Flight, now: float) -> None:
        job = self._config.job
        if flight.ending is not None:
            return
        if flight.target.is_reached and (flight.target.is_met or not self._desk.is_running):
            self._desk.end_at_target(flight)
            return
        is_silent = now < flight.deadline
        reason = (
            silent_too_long(job.silence_limit or 0.0)
            if is_silent
            else ran_too_long(job.time_limit or 0.0)
        )
        fate = flight.end_at_limit(reason, is_silent=is_silent, on_time_limit=job.on_time_limit)
        self._desk.cancel(flight, *fate)

    # -- small things -----------------------------------------------------------------------

    def _take_in_all(self, events: Iterable[JobEvent]) -> None:
        for event in events:
            self._intake.take_in(event)
