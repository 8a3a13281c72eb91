"""Fills free workers with jobs: those that wait, those enqueued, and what the strategy wishes."""

from __future__ import annotations

import logging

from hpo_core.contracts.observer import JobFinished
from hpo_core.contracts.strategy import Exhausted, Resume, Start, Wait
from hpo_core.engine.desk import Desk
from hpo_core.engine.flight import Flight, PendingTrial
from hpo_core.engine.recovery import resumed_trial
from hpo_core.model.errors import StrategyError
from hpo_core.model.job import Job, JobState, StudyState, job_id
from hpo_core.model.report import Status
from hpo_core.model.templates import template
from hpo_core.model.values import JSON, Configuration, Value
from hpo_core.store.checkpoints import CopyError

_log = logging.getLogger("hpo_core")


class Launcher:
    """Launches jobs, within a turn.

    Args:
        desk: What the session's parts share.
    """

    def __init__(self, desk: Desk) -> None:
        setting = desk.setting
        self._desk = desk
        self._config = setting.config
        self._accounts = setting.accounts
        self._advisor = setting.advisor
        self._writer = setting.writer
        self._folder = setting.folder
        self._checkpoints = setting.folder.checkpoints
        self._job_name = template(setting.config.job_name)
        self._next_trial = setting.next_trial
        self._no_more: str | None = None  # why the strategy is not asked any more
        self._knows_no_more_trials: bool | None = None  # None until it had to be told
        self._look_for_enqueued = True

    def expect_enqueued(self) -> None:
        """Look for enqueued configurations in the store; safe from any thread."""
        self._look_for_enqueued = True

    def fill(self, now: float) -> None:
        """Launch jobs for as long as there are free workers, room in the budget, and wishes."""
        obstacle: str | None = None
        while (
            obstacle is None
            and self._desk.is_running
            and len(self._desk.flights) < self._config.workers
        ):
            obstacle = self._accounts.no_room_for_a_job(len(self._desk.flights))
            if obstacle is None and self._desk.waiting:
                self._launch(self._desk.waiting.popleft(), now)
            elif obstacle is None:
                try:
                    obstacle = self._launch_new(now)
                except StrategyError as error:
                    self._desk.fail(error)
        if obstacle is not None and not self._desk.flights and self._desk.is_running:
            self._desk.end(StudyState.FINISHED, obstacle)

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
        if self._no_more is not None or (full is not None and not self._desk.setting.is_resuming):
            return self._no_more or full
        if full is not None and self._knows_no_more_trials is None:
            self._knows_no_more_trials = self._advisor.no_more_trials()
        answer, state = self._advisor.ask(self._next_trial)
        match answer:
            case Start() if full is None:
                self._start(answer, state, now, adopted=False)
            case Start() if self._knows_no_more_trials:
                raise self._advisor.broken("it starts a trial although it was told no_more_trials")
            case Start():
                self._no_more = full
            case Resume():
                self._resume(answer, state, now)
            case Exhausted():
                self._no_more = full or "the strategy has nothing more to try"
            case Wait() if not self._desk.flights:
                raise self._advisor.broken("it waits although nothing is running")
            case Wait():
                return "the strategy waits"
        return self._no_more

    def _next_enqueued(self) -> tuple[int, Configuration] | None:
        """Return the oldest enqueued configuration; look only if some may have come."""
        if not (self._look_for_enqueued or self._writer.is_changed_elsewhere()):
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
                is_target_suggested=start.iterations is not None,
            ),
            now,
        )

    def _resume(self, resume: Resume, state: JSON, now: float) -> None:
        setting = self._desk.setting
        try:
            trial, state_before = resumed_trial(self._config, setting.store, setting.study, resume)
        except StrategyError as error:
            raise self._advisor.broken(str(error)) from None
        self._require_checkpoints(resume)
        self._accounts.trial_resumed(state_before)
        setting.keeper.trial_resumed(trial.id)
        self._writer.resume(self._next_trial, resume, now)
        if state is not None:
            self._writer.strategy_state(state)
        try:
            left_out = self._copy_checkpoints(resume.checkpoint_from, trial)
        except CopyError as error:
            self._fail(trial, str(error), now)
        else:
            self._launch(trial, now).notes += left_out

    def _copy_checkpoints(self, source: int | None, trial: PendingTrial) -> list[str]:
        """Copy what a trial's next job is to find, and return what there is to say of that.

        Raises:
            CopyError: If it can't be copied.
        """
        if source is None:
            return []
        job = job_id(trial.id, trial.attempt)
        left_out = self._checkpoints.copy_aside(source, job)
        self._desk.to_put_in_place.append(job)
        notes = [
            f"the checkpoints of trial {source} were copied without {what}" for what in left_out
        ]
        for note in notes:
            _log.warning("job %s: %s", job, note)
        return notes

    def _fail(self, trial: PendingTrial, reason: str, now: float) -> None:
        """Record a trial's next job as failed, since it can't be launched."""
        job = self.job(trial)
        flight = self._desk.flight(job, trial, now)
        self._accounts.jobs += 1
        self._writer.queue_job(trial.id, trial.attempt, job.name, trial.target, now)
        self._writer.job_ended(
            trial.id,
            trial.attempt,
            state=JobState.FAILED,
            reason=reason,
            started=None,
            ended=now,
            iteration=None,
            iterations=0,
            metrics={},
        )
        _log.warning("job %s failed: %s", job.id, reason)
        decision = self._desk.tell(flight, Status.FAILED, None, {}, None, now)
        self._desk.settle(flight, JobState.FAILED, None, decision)
        if self._desk.has_observers:
            finished = flight.as_finished(
                self._config.objectives, JobState.FAILED, reason, None, now, is_best=False
            )
            progress = self._desk.progress(now)
            self._desk.news.append(JobFinished(finished=finished, time=now, progress=progress))

    def _require_checkpoints(self, resume: Resume) -> None:
        """See that what a resumption needs has not been deleted.

        Raises:
            StrategyError: If it has.
        """
        setting = self._desk.setting
        if setting.keeper.is_keeping_all:
            return
        for trial_id in (resume.trial_id, resume.checkpoint_from):
            found = None if trial_id is None else setting.store.trial(setting.study.id, trial_id)
            if found is not None and setting.keeper.has_deleted(found.id, found.state):
                raise StrategyError(
                    f"the strategy {self._config.strategy.name!r} wants to carry on from trial "
                    f"{trial_id}, whose checkpoints job.keep_checkpoints has deleted; give it a "
                    "larger number, or leave it out"
                )

    def _launch(self, trial: PendingTrial, now: float) -> Flight:
        job = self.job(trial)
        self._accounts.jobs += 1
        self._writer.queue_job(trial.id, trial.attempt, job.name, trial.target, now)
        self._desk.flights[job.id] = flight = self._desk.flight(job, trial, now)
        self._desk.to_submit.append(job)
        return flight

    def job(self, trial: PendingTrial, step: int = 0) -> Job:
        """Return a trial's next job; with a step of -1 the one before it."""
        name = job_id(trial.id, trial.attempt + step)
        about: dict[str, Value] = {"name": self._config.name, "trial_id": trial.id, "job_id": name}
        return Job(
            id=name,
            trial_id=trial.id,
            name=self._job_name.render({**trial.configuration, **about}),
            configuration=trial.configuration,
            iterations=trial.target,
            checkpoint_dir=self._checkpoints.folder(trial.id),
            log=self._folder.log(name),
            time_limit=self._config.job.time_limit,
            silence_limit=self._config.job.silence_limit,
            grace=self._config.job.grace,
        )
