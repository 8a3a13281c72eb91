"""One run of a study by one controller: a loop of turns.

A turn takes in what the backend says, tells the strategy, fills the free workers with new jobs,
and records all of it in one transaction; only then it acts: submits and cancels. The loop sleeps
in `Backend.events` until something happens or time is up. Nothing else moves a study.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from hpo_core.contracts.backend import Backend, Finished, JobEvent, Reported, Started
from hpo_core.contracts.observer import (
    JobFinished,
    JobReported,
    JobStarted,
    Progress,
    StudyEnded,
    StudyEvent,
    StudyStarted,
)
from hpo_core.contracts.strategy import Exhausted, Resume, Start, Wait
from hpo_core.engine.flight import Flight, PendingTrial
from hpo_core.engine.recovery import Interrupted, resumed_trial
from hpo_core.engine.setting import Setting
from hpo_core.model.budget import Usage
from hpo_core.model.errors import HpoError, StoreError, StrategyError, StudyFailed
from hpo_core.model.job import Job, JobState, StudyState, TrialState, job_id
from hpo_core.model.objective import Losses, complete
from hpo_core.model.report import Decision, Report, Status
from hpo_core.model.templates import template
from hpo_core.model.values import JSON, Configuration, Value

_WALL_TIME_EVERY = 0.05  # seconds between two records of it

_TRIAL_STATE = {
    JobState.COMPLETED: TrialState.COMPLETED,
    JobState.PAUSED: TrialState.PAUSED,
    JobState.STOPPED: TrialState.STOPPED,
    JobState.FAILED: TrialState.FAILED,
    JobState.TIMED_OUT: TrialState.FAILED,
}


class Session:
    """One run of a study.

    Attributes:
        flights: The jobs under way, by id.
        state: Where the study stands; RUNNING until it is decided that it ends.
        reason: Why it ends, for people.
        error: The error that made it fail, if one did.

    Args:
        setting: The study, with all that it needs to run.
    """

    def __init__(self, setting: Setting) -> None:
        self.flights: dict[str, Flight] = {}
        self.state = StudyState.RUNNING
        self.reason = ""
        self.error: HpoError | None = None
        self._config = setting.config
        self._study = setting.study
        self._store = setting.store
        self._folder = setting.folder
        self._advisor = setting.advisor
        self._clock = setting.clock
        self._accounts = setting.accounts
        self._announcer = setting.announcer
        self._incumbents = setting.incumbents
        self._is_resuming = setting.is_resuming
        self._writer = setting.writer
        self._job_name = template(setting.config.job_name)
        self._backend: Backend
        self._waiting: deque[PendingTrial] = deque()  # lost, or to be retried
        self._next_trial = setting.accounts.trials + 1
        self._no_more: str | None = None  # why the strategy is not asked any more
        self._look_for_enqueued = True
        self._stop_reason: str | None = None
        self._grace = setting.config.job.grace
        self._force = False  # whether jobs that are ending are to be ended at once
        self._just_started: list[tuple[Flight, object]] = []
        self._to_submit: list[Job] = []
        self._to_cancel: list[str] = []
        self._news: list[StudyEvent] = []
        self._wall_time_recorded = -math.inf

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Ask the session to end, its jobs too; safe from any thread and from signal handlers.

        Whoever calls it wakes the backend.
        """
        if self._stop_reason is None:
            self._stop_reason = reason
        if at_once:
            self._grace = 0.0
            self._force = True

    def expect_enqueued(self) -> None:
        """Look for enqueued configurations in the store; whoever calls it wakes the backend."""
        self._look_for_enqueued = True

    def set_end(self, moment: float) -> None:
        """End at a moment, in seconds since the epoch; whoever calls it wakes the backend."""
        self._accounts.ends_at = moment

    def blame(self, error: Exception) -> None:
        """Count as failed, whatever it has been, for what a backend or the store has raised."""
        if not isinstance(error, HpoError):
            broken = HpoError(f"the controller broke down: {type(error).__name__}: {error}")
            broken.__cause__ = error
            error = broken
        self.state, self.reason, self.error = StudyState.FAILED, str(error), error

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
            while self.state is StudyState.RUNNING or self.flights:
                self._turn(partial(self._take_in_all, self._next_events()))
            self._turn(self._conclude)
        except Exception as error:  # noqa: BLE001  # a backend may raise anything
            self._break_down(error)

    def _next_events(self) -> Sequence[JobEvent]:
        """Wait for what happens next; a stop that a callback has asked for is the next thing."""
        if self._stop_reason is not None and self.state is StudyState.RUNNING:
            return ()
        return self._backend.events(self._timeout())

    def deliver(self, event: JobEvent) -> None:
        """Deal with one event, from within `Backend.events`."""
        if type(event) is Started:
            self._take_in(event)
            self._announce()
        else:
            self._turn(partial(self._take_in, event))

    def _turn(self, take_in: Callable[[], object]) -> None:
        with self._writer.turn():
            take_in()
            now = self._clock.now()
            self._enforce_limits(now)
            if self.state is StudyState.RUNNING:
                self._fill(now)
            self._record_starts()
            if now - self._wall_time_recorded > _WALL_TIME_EVERY or not self.flights:
                self._writer.wall_time(self._accounts.wall_time(now))
                self._wall_time_recorded = now
        self._act()

    def _act(self) -> None:
        submit, self._to_submit = self._to_submit, []
        cancel, self._to_cancel = self._to_cancel, []
        for job in submit:
            self._backend.submit(job)
        for job_to_end in cancel:
            self._backend.cancel(job_to_end, grace=self._grace)
        self._announce()

    def _announce(self) -> None:
        if self._news:
            news, self._news = self._news, []
            for event in news:
                self._announcer.tell(event)

    def _timeout(self) -> float | None:
        nearest = min((flight.deadline for flight in self.flights.values()), default=math.inf)
        now = self._clock.now()
        if self.state is StudyState.RUNNING:
            nearest = min(nearest, self._accounts.time_is_up_at(now))
        return None if nearest == math.inf else max(nearest - now, 0.0)

    # -- the beginning and the end ----------------------------------------------------------

    def _begin(self, interrupted: list[Interrupted]) -> None:
        now = self._clock.now()
        self._writer.study(StudyState.RUNNING)
        left = {found.job.id: self._job(found.trial, -1) for found in interrupted if found.job}
        alive = set(self._backend.adopt(list(left.values())))
        for found in interrupted:
            if found.job is None:
                self._waiting.append(found.trial)
            elif found.job.id in alive:
                self._carry_on(found, left[found.job.id])
            else:
                self._record_lost(found)
                self._waiting.append(found.trial)
        if self._announcer:
            self._news.append(
                StudyStarted(
                    name=self._config.name,
                    objectives=self._config.objectives,
                    budget=self._config.budget,
                    workers=self._config.workers,
                    strategy=self._config.strategy.name,
                    time=now,
                    progress=self._progress(now),
                    best=self._incumbents.best,
                )
            )

    def _carry_on(self, found: Interrupted, job: Job) -> None:
        """Take a job that outlived its controller under way again."""
        assert found.job is not None
        found.trial.attempt -= 1
        flight = Flight(job, found.trial, found.job.queued)
        flight.iteration, flight.iterations = found.iteration, found.iterations
        flight.metrics = found.metrics
        self._accounts.iterations += found.iterations
        self.flights[job.id] = flight
        self._take_in(Started(job.id, found.job.started or found.job.queued, found.job.handle))

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
        if self.state is StudyState.FINISHED:
            while self._waiting:
                self._give_up(self._waiting.popleft())
        self._writer.study(self.state, self.reason)
        if self._announcer:
            now = self._clock.now()
            self._news.append(
                StudyEnded(
                    name=self._config.name,
                    state=self.state,
                    reason=self.reason,
                    time=now,
                    progress=self._progress(now),
                )
            )

    def _break_down(self, error: Exception) -> None:
        """End as failed, with nothing more said to the backend; its jobs are lost."""
        self.flights.clear()
        self.blame(error)
        with suppress(StoreError), self._writer.turn():  # it may be the store that is broken
            self._conclude()
        self._announce()

    def _give_up(self, trial: PendingTrial) -> None:
        """Settle a trial that waits for another job, for which nothing is left."""
        trial.attempt -= 1
        now = self._clock.now()
        flight = Flight(self._job(trial), trial, now)
        state = JobState.FAILED if trial.failures else JobState.STOPPED
        losses = None if trial.failures else complete(trial.losses)
        decision = self._tell(flight, Status(state.value), None, {}, losses, now)
        self._settle(flight, state, losses, decision)

    def _end(self, state: StudyState, reason: str, error: HpoError | None = None) -> None:
        """Launch nothing more, and end what runs: as lost if it is to be run again.

        A job that has trained as far as it was to has its grace period to end by itself.
        """
        self.state, self.reason, self.error = state, reason, error
        fate = JobState.STOPPED if state is StudyState.FINISHED else JobState.LOST
        for flight in self.flights.values():
            if not (state is StudyState.FINISHED and flight.is_at_target):
                self._cancel(flight, fate, reason)

    def _fail(self, error: HpoError) -> None:
        if self.state is not StudyState.FAILED:
            self._end(StudyState.FAILED, str(error), error)

    # -- limits -----------------------------------------------------------------------------

    def _enforce_limits(self, now: float) -> None:
        if self.state is StudyState.RUNNING:
            if self._stop_reason is not None:
                self._end(StudyState.INTERRUPTED, self._stop_reason)
            elif now >= self._accounts.ends_at:
                self._end(StudyState.INTERRUPTED, "the time limit is reached")
            elif reason := self._accounts.used_up(now):
                self._end(StudyState.FINISHED, reason)
        for flight in self.flights.values():
            if now >= flight.deadline or (self._force and flight.is_at_target):
                self._end_overdue(flight)
        if self._force:
            self._force = False
            self._to_cancel = list(self.flights)

    def _end_overdue(self, flight: Flight) -> None:
        if flight.is_at_target:
            self._end_at_target(flight)
        else:
            limit = self._config.job.time_limit
            self._cancel(flight, JobState.TIMED_OUT, f"ran longer than its limit of {limit:g} s")

    def _end_at_target(self, flight: Flight) -> None:
        limit = flight.job.iterations
        self._cancel(flight, JobState.COMPLETED, f"ended by its limit of {limit} iterations")

    def _cancel(self, flight: Flight, fate: JobState, reason: str) -> None:
        if flight.ending is None:
            flight.ending, flight.reason = fate, reason
            flight.deadline = math.inf
            self._to_cancel.append(flight.job.id)

    # -- events in --------------------------------------------------------------------------

    def _take_in_all(self, events: Iterable[JobEvent]) -> None:
        for event in events:
            self._take_in(event)

    def _take_in(self, event: JobEvent) -> None:
        flight = self.flights.get(event.job_id)
        if flight is None:
            return  # a late word of a job that was given up
        match event:
            case Reported():
                self._reported(flight, event)
            case Finished():
                self._finished(flight, event)
            case Started():
                self._started(flight, event)

    def _started(self, flight: Flight, event: Started) -> None:
        flight.started = event.time
        self._accounts.job_started(event.time)
        self._just_started.append((flight, event.handle))
        limit = self._config.job.time_limit
        if limit is not None and flight.ending is None:
            flight.deadline = event.time + limit
        if self._announcer:
            progress = self._progress(event.time)
            self._news.append(JobStarted(job=flight.job, time=event.time, progress=progress))

    def _record_starts(self) -> None:
        """Record which jobs run; those that have ended meanwhile are recorded already."""
        for flight, handle in self._just_started:
            if flight.job.id in self.flights and flight.started is not None:
                trial = flight.trial
                self._writer.job_started(trial.id, trial.attempt, flight.started, handle)
        self._just_started.clear()

    def _reported(self, flight: Flight, event: Reported) -> None:
        if flight.ending is not None:
            return  # its end is decided: what it says now changes nothing
        target = flight.job.iterations
        if target is not None and event.iteration is not None and event.iteration > target:
            self._end_at_target(flight)
            return
        self._accounts.iterations += flight.take_in(
            self._config.objectives, event.iteration, event.metrics
        )
        losses = complete(flight.trial.losses)
        decision = self._tell(
            flight, Status.RUNNING, event.iteration, event.metrics, losses, event.time
        )
        if decision is not Decision.CONTINUE and self._may_end(flight):
            fate = JobState.STOPPED if decision is Decision.STOP else JobState.PAUSED
            self._cancel(flight, fate, f"{fate.value} by the strategy")
            flight.is_decided = True
        elif flight.is_at_target:
            flight.deadline = min(flight.deadline, event.time + self._grace)
        if self.state is StudyState.RUNNING and (used := self._accounts.iterations_used_up()):
            self._end(StudyState.FINISHED, used)
        if self._announcer:
            self._news.append(
                JobReported(
                    job=flight.job,
                    time=event.time,
                    iteration=event.iteration,
                    metrics=event.metrics,
                )
            )

    def _may_end(self, flight: Flight) -> bool:
        """Say whether a job has done its minimum, and may be stopped or paused."""
        least = self._config.job.min_iterations
        return least == 1 or (flight.iteration or 0) >= least

    def _finished(self, flight: Flight, event: Finished) -> None:
        del self.flights[flight.job.id]
        trial = flight.trial
        if flight.started is not None:
            self._accounts.job_ended(flight.started, event.time)
        metrics = event.metrics or {}
        if metrics and flight.ending is None:
            flight.take_in(self._config.objectives, None, metrics)
        state, reason, losses = flight.verdict(event, self._config.objectives)
        self._writer.job_ended(
            trial.id,
            trial.attempt,
            state=state,
            reason=reason,
            started=flight.started,
            ended=event.time,
            iteration=flight.iteration,
            iterations=flight.iterations,
            metrics=flight.metrics,
        )
        is_best = False
        if state is JobState.LOST:
            self._accounts.jobs -= 1
            self._again(trial)
        elif state is JobState.FAILED and trial.failures < self._config.job.retries:
            trial.begin_anew()
            self._again(trial)
        else:
            status = Status(state.value)
            decision = self._tell(flight, status, flight.iteration, metrics, losses, event.time)
            is_best = self._settle(flight, state, losses, decision)
        if self._announcer:
            self._news.append(
                JobFinished(
                    finished=flight.as_finished(
                        self._config.objectives, state, reason, losses, event.time, is_best
                    ),
                    time=event.time,
                    progress=self._progress(event.time),
                )
            )

    def _again(self, trial: PendingTrial) -> None:
        trial.attempt += 1
        self._waiting.append(trial)

    def _settle(
        self, flight: Flight, state: JobState, losses: Losses | None, decision: Decision
    ) -> bool:
        """Record where a trial stands after its job, and return whether it is the best."""
        trial_state = _TRIAL_STATE[state]
        if state is JobState.COMPLETED and decision is Decision.PAUSE:
            trial_state = TrialState.PAUSED
        self._writer.trial(flight.trial.id, trial_state, losses)
        self._accounts.trial_ended(trial_state)
        limit = self._config.max_failures
        if limit is not None and self._accounts.failed > limit:
            failed = f"{self._accounts.failed} trials failed, and max_failures is {limit}"
            self._fail(StudyFailed(failed))
        return (
            trial_state is TrialState.COMPLETED
            and losses is not None
            and self._incumbents.take_in(losses)
        )

    def _tell(
        self,
        flight: Flight,
        status: Status,
        iteration: int | None,
        metrics: Mapping[str, float],
        losses: Losses | None,
        time: float,
    ) -> Decision:
        report = Report(
            trial_id=flight.trial.id,
            job_id=flight.job.id,
            iteration=iteration,
            losses=losses,
            status=status,
            metrics=metrics,
        )
        decision = Decision.CONTINUE
        if self.state is not StudyState.FAILED:
            try:
                decision = self._advisor.tell(report)
            except StrategyError as error:
                self._fail(error)
        self._writer.told(report, flight.trial.attempt, time, decision)
        return decision

    # -- jobs out ---------------------------------------------------------------------------

    def _fill(self, now: float) -> None:
        """Launch jobs for as long as there are free workers, room in the budget, and wishes."""
        obstacle: str | None = None
        while (
            obstacle is None
            and self.state is StudyState.RUNNING
            and len(self.flights) < self._config.workers
        ):
            obstacle = self._accounts.no_room_for_a_job(len(self.flights))
            if obstacle is None and self._waiting:
                self._launch(self._waiting.popleft(), now)
            elif obstacle is None:
                try:
                    obstacle = self._launch_new(now)
                except StrategyError as error:
                    self._fail(error)
        if obstacle is not None and not self.flights and self.state is StudyState.RUNNING:
            self._end(StudyState.FINISHED, obstacle)

    def _launch_new(self, now: float) -> str | None:
        """Launch what is enqueued, or what the strategy wishes; return the obstacle, if any."""
        full = self._accounts.no_room_for_a_trial()
        if full is None and (enqueued := self._next_enqueued()) is not None:
            row, configuration = enqueued
            start = Start(configuration)
            state = self._advisor.adopt(self._next_trial, start)
            self._writer.dequeue(row)
            self._start(start, state, now, adopted=True)
            return None
        if self._no_more is not None or (full is not None and not self._is_resuming):
            return self._no_more or full
        answer, state = self._advisor.ask(self._next_trial)
        match answer:
            case Start() if full is None:
                self._start(answer, state, now, adopted=False)
            case Start():
                self._no_more = full
            case Resume():
                self._resume(answer, state, now)
            case Exhausted():
                self._no_more = "the strategy has nothing more to try"
            case Wait() if not self.flights:
                raise self._advisor.broken("it waits although nothing is running")
            case Wait():
                return "the strategy waits"
        return self._no_more

    def _next_enqueued(self) -> tuple[int, Configuration] | None:
        """Return the oldest enqueued configuration; look only if some may have come."""
        if not self._look_for_enqueued:
            return None
        enqueued = self._writer.next_enqueued()
        self._look_for_enqueued = enqueued is not None
        return enqueued

    def _start(self, start: Start, state: JSON, now: float, *, adopted: bool) -> None:
        trial_id = self._next_trial
        self._next_trial += 1
        self._accounts.trials += 1
        self._writer.start(trial_id, start, adopted=adopted)
        if state is not None:
            self._writer.strategy_state(state)
        self._launch(
            PendingTrial(
                trial_id,
                start.configuration,
                attempt=1,
                target=start.iterations or self._config.job.max_iterations,
                losses=(None,) * len(self._config.objectives),
            ),
            now,
        )

    def _resume(self, resume: Resume, state: JSON, now: float) -> None:
        try:
            trial, state_before = resumed_trial(self._config, self._store, self._study, resume)
        except StrategyError as error:
            raise self._advisor.broken(str(error)) from None
        self._accounts.trial_resumed(state_before)
        if resume.checkpoint_from is not None:
            self._folder.copy_checkpoints(resume.checkpoint_from, trial.id)
        self._writer.resume(self._next_trial, resume, now)
        if state is not None:
            self._writer.strategy_state(state)
        self._launch(trial, now)

    def _launch(self, trial: PendingTrial, now: float) -> None:
        job = self._job(trial)
        self._accounts.jobs += 1
        self._writer.queue_job(trial.id, trial.attempt, job.name, trial.target, now)
        self.flights[job.id] = Flight(job, trial, now)
        self._to_submit.append(job)

    def _job(self, trial: PendingTrial, step: int = 0) -> Job:
        """Return a trial's next job; with a step of -1 the one before it."""
        name = job_id(trial.id, trial.attempt + step)
        about: dict[str, Value] = {"name": self._config.name, "trial_id": trial.id, "job_id": name}
        return Job(
            id=name,
            trial_id=trial.id,
            name=self._job_name.render({**trial.configuration, **about}),
            configuration=trial.configuration,
            iterations=trial.target,
            checkpoint_dir=self._folder.checkpoints(trial.id),
            log=self._folder.log(name),
        )

    def _progress(self, now: float) -> Progress:
        accounts = self._accounts
        return Progress(
            running=len(self.flights),
            completed=accounts.completed,
            failed=accounts.failed,
            stopped=accounts.stopped,
            usage=accounts.usage(now),
        )
