"""Takes in what a backend says of jobs: records it, and tells the strategy."""

from __future__ import annotations

from hpo_core.contracts.backend import Finished, JobEvent, Reported, Started
from hpo_core.contracts.observer import JobFinished, JobReported, JobStarted
from hpo_core.engine.desk import Desk
from hpo_core.engine.flight import Flight, PendingTrial
from hpo_core.model.job import JobState, StudyState
from hpo_core.model.objective import complete
from hpo_core.model.report import Decision, Status

LOST_AT_MOST = 10
"""So often a trial's jobs may be lost by the backend in a row; then the trial has failed."""


class Intake:
    """Takes events in, within a turn.

    Args:
        desk: What the session's parts share.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._config = desk.setting.config
        self._accounts = desk.setting.accounts
        self._writer = desk.setting.writer
        self._just_started: list[tuple[Flight, object]] = []

    def take_in(self, event: JobEvent) -> None:
        """Take one event in; a late word of a job that was given up changes nothing."""
        flight = self._desk.flights.get(event.job_id)
        if flight is None:
            return
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
        self.heard(flight, event.time)
        if self._desk.has_observers:
            progress = self._desk.progress(event.time)
            self._desk.news.append(JobStarted(job=flight.job, time=event.time, progress=progress))

    def heard(self, flight: Flight, time: float) -> None:
        """Take note that a job has given a sign of life."""
        limit = self._config.job.silence_limit
        if limit is not None and flight.ending is None:
            flight.silent_until = time + limit

    def record_starts(self) -> None:
        """Record which jobs run; those that have ended meanwhile are recorded already."""
        for flight, handle in self._just_started:
            if flight.job.id in self._desk.flights and flight.started is not None:
                trial = flight.trial
                self._writer.job_started(trial.id, trial.attempt, flight.started, handle)
        self._just_started.clear()

    def _reported(self, flight: Flight, event: Reported) -> None:
        if flight.ending is not None:
            return  # its end is decided: what it says now changes nothing
        self.heard(flight, event.time)
        target = flight.job.iterations
        if target is not None and event.iteration is not None and event.iteration > target:
            self._desk.end_at_target(flight)
            return
        self._accounts.iterations += flight.take_in(
            self._config.objectives, event.iteration, event.metrics
        )
        losses = complete(flight.trial.losses)
        decision = self._desk.tell(
            flight, Status.RUNNING, event.iteration, event.metrics, losses, event.time
        )
        if decision is not Decision.CONTINUE and self._may_end(flight):
            fate = JobState.STOPPED if decision is Decision.STOP else JobState.PAUSED
            self._desk.cancel(flight, fate, f"{fate.value} by the strategy")
            flight.is_decided = True
        elif flight.is_at_target:
            flight.deadline = min(flight.deadline, event.time + self._desk.grace)
        if self._desk.is_running and (used := self._accounts.iterations_used_up()):
            self._desk.end(StudyState.FINISHED, used)
        if self._desk.has_observers:
            self._desk.news.append(
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
        del self._desk.flights[flight.job.id]
        trial = flight.trial
        ended = event.time
        if flight.started is not None:
            if event.ran is not None:
                ended = flight.started + event.ran
            self._accounts.job_ended(flight.started, ended)
        metrics = event.metrics or {}
        if metrics and flight.ending is None:
            flight.take_in(self._config.objectives, None, metrics)
        state, reason, losses = flight.verdict(
            event, self._config.objectives, self._config.constraints
        )
        if state is JobState.LOST and flight.ending is None:
            state, reason = self._lost(trial, reason)
        self._writer.job_ended(
            trial.id,
            trial.attempt,
            state=state,
            reason=reason,
            started=flight.started,
            ended=ended,
            iteration=flight.iteration,
            iterations=flight.iterations,
            metrics=flight.metrics,
        )
        is_best = False
        trial.metrics = flight.all_metrics
        if state is JobState.LOST:
            self._accounts.jobs -= 1
            self._again(trial)
        elif state is JobState.FAILED and trial.failures < self._config.job.retries:
            trial.begin_anew()
            self._again(trial)
        else:
            status = Status(state.value)
            decision = self._desk.tell(flight, status, flight.iteration, metrics, losses, ended)
            is_best = self._desk.settle(flight, state, losses, decision)
        if self._desk.has_observers:
            self._desk.news.append(
                JobFinished(
                    finished=flight.as_finished(
                        self._config.objectives, state, reason, losses, ended, is_best
                    ),
                    time=event.time,
                    progress=self._desk.progress(event.time),
                )
            )

    def _lost(self, trial: PendingTrial, reason: str) -> tuple[JobState, str]:
        """Return how a job counts that the backend has lost: for the last time as failed."""
        trial.lost += 1
        if trial.lost < LOST_AT_MOST:
            return JobState.LOST, reason
        return (
            JobState.FAILED,
            f"lost {trial.lost} times in a row, as though by its own doing: {reason}",
        )

    def _again(self, trial: PendingTrial) -> None:
        trial.attempt += 1
        self._desk.waiting.append(trial)
