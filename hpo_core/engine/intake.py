"""Takes in what a backend says of jobs: records it, and tells the strategy."""

from __future__ import annotations

import logging

from hpo_core.contracts.backend import Finished, JobEvent, Reported, Started
from hpo_core.contracts.observer import JobFinished, JobReported, JobStarted
from hpo_core.engine.desk import Desk
from hpo_core.engine.flight import Flight, PendingTrial
from hpo_core.model.job import JobState, StudyState
from hpo_core.model.objective import complete
from hpo_core.model.report import Decision, Status, how_to_report

_log = logging.getLogger("hpo_core")

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
        job, backend_does = desk.setting.config.job, desk.setting.enforces_limits
        self._time_limit = None if backend_does else job.time_limit
        self._silence_limit = None if backend_does else job.silence_limit
        self._just_started: list[tuple[Flight, object]] = []
        self._has_warned = False  # of a job that counts further than the study's maximum
        self._counts_iterations = not desk.setting.is_pruning  # or nothing depends on it

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
        limit = self._time_limit
        if limit is not None and flight.ending is None:
            flight.deadline = event.time + limit
        self.heard(flight, event.time)
        if self._desk.has_observers:
            progress = self._desk.progress(event.time)
            self._desk.news.append(JobStarted(job=flight.job, time=event.time, progress=progress))

    def heard(self, flight: Flight, time: float) -> None:
        """Take note that a job has given a sign of life."""
        limit = self._silence_limit
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
        target = flight.target
        if flight.ending is not None and not flight.is_ended_at_target:
            return  # its end is decided: what it says now changes nothing
        self.heard(flight, event.time)
        self._warn_if_beyond(flight, event.iteration)
        self._counts_iterations = self._counts_iterations or event.iteration is not None
        metrics = target.counting(event.iteration, event.metrics)
        if not metrics and event.iteration != target.heard(event.iteration):
            self._passed(flight, event)
            return
        self._accounts.iterations += flight.take_in(
            self._config.objectives, event.iteration, metrics
        )
        losses = complete(flight.trial.losses)
        decision = self._desk.tell(
            flight, Status.RUNNING, event.iteration, metrics, losses, event.time
        )
        if decision is not Decision.CONTINUE and self._may_end(flight):
            fate = JobState.STOPPED if decision is Decision.STOP else JobState.PAUSED
            self._desk.cancel(flight, fate, f"{fate.value} by the strategy")
            flight.is_decided = True
        elif target.is_met:
            self._desk.leave_grace(flight, event.time)
        flight.trial.is_heard = True
        if self._desk.is_running and (used := self._accounts.iterations_used_up()):
            self._desk.end(StudyState.FINISHED, used)
        if self._desk.has_observers:
            self._desk.news.append(
                JobReported(
                    job=flight.job,
                    time=event.time,
                    iteration=event.iteration,
                    metrics=metrics,
                )
            )

    def _passed(self, flight: Flight, event: Reported) -> None:
        """Handle a report beyond the target in which nothing counts."""
        flight.target.note(event.iteration, {})
        if flight.target.is_exhausted:
            self._desk.end_at_target(flight)
        elif flight.target.is_met:
            self._desk.leave_grace(flight, event.time)

    def _warn_if_beyond(self, flight: Flight, iteration: int | None) -> None:
        """Warn, once in a session, of a job that counts further than the study's maximum."""
        most = self._config.job.max_iterations
        if self._has_warned or most is None or iteration is None or iteration <= most:
            return
        self._has_warned = True
        _log.warning(
            "job %s reported iteration %d, but max_iterations is %d: it counts as iteration %d, "
            "and the job is completed. Do both count the same unit? A job that counts optimizer "
            "steps needs max_iterations in steps, or else has to report epochs. (Later jobs like "
            "it are not mentioned.)",
            flight.job.id,
            iteration,
            most,
            most,
        )

    def _warn_if_uncounted(self, flight: Flight, state: JobState) -> None:
        """Warn, once in a session, of jobs that a strategy can't stop, since they don't count."""
        if (
            self._counts_iterations
            or state is not JobState.COMPLETED
            or flight.trial.is_target_suggested  # its end is the iteration
        ):
            return
        self._counts_iterations = True  # said once
        _log.warning(
            "the strategy %r stops jobs early by their iterations, but job %s reported none, so "
            "none is ever stopped; report the iteration too, %s; or leave the pruner out",
            self._config.strategy.name,
            flight.job.id,
            how_to_report(self._config.objectives[0].metric, 3),
        )

    def _may_end(self, flight: Flight) -> bool:
        """Say whether the strategy may stop or pause a job.

        It has done its minimum by then, and has not trained as far as its trial ever will.
        """
        if flight.is_at_last_target:
            return False
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
        if metrics and (flight.ending is None or flight.is_ended_at_target):
            flight.take_in(self._config.objectives, None, metrics)
        state, reason, losses = flight.verdict(
            event,
            self._config.objectives,
            self._config.constraints,
            self._config.job.on_time_limit,
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
        self._warn_if_uncounted(flight, state)
        is_best = False
        trial.metrics = flight.all_metrics
        if state is JobState.LOST:
            self._accounts.jobs -= 1
            self._again(trial)
        elif state is JobState.FAILED and trial.failures < self._config.job.retries:
            self._desk.replace_attempt(trial, ended)
            trial.begin_again()
            self._again(trial)
        else:
            status = self._told(flight, state)
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

    def _told(self, flight: Flight, state: JobState) -> Status:
        """Return how a job has ended, as the strategy is told.

        A strategy that has said how far to train, or resumes trials, compares them at the targets
        that they reached: for it, a job that its time limit has cut short was stopped there.
        """
        compares = self._desk.setting.is_resuming or flight.trial.is_target_suggested
        return Status.STOPPED if flight.is_cut_short and compares else Status(state.value)

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
