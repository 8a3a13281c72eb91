"""What the parts of a session share: the study's state, the jobs under way, and what is to be done.

Within a turn `Intake` and `Launcher` only write to the store and to this desk; the session acts
on it once the turn is recorded.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Mapping

from hpo_core.contracts.observer import Progress, StudyEvent
from hpo_core.engine.flight import Flight, PendingTrial
from hpo_core.engine.setting import Setting
from hpo_core.engine.targets import Target
from hpo_core.model.constraint import is_feasible as feasible
from hpo_core.model.errors import HpoError, StrategyError, StudyFailed
from hpo_core.model.job import Job, JobState, StudyState, TrialState
from hpo_core.model.objective import Losses
from hpo_core.model.report import Decision, Report, Status
from hpo_core.model.text import counted

_log = logging.getLogger("hpo_core")

_TRIAL_STATE = {
    JobState.COMPLETED: TrialState.COMPLETED,
    JobState.PAUSED: TrialState.PAUSED,
    JobState.STOPPED: TrialState.STOPPED,
    JobState.FAILED: TrialState.FAILED,
    JobState.TIMED_OUT: TrialState.FAILED,
}


class Desk:
    """The state of one run of a study, and its orders for the end of the turn.

    Attributes:
        setting: The study, with all that it needs to run.
        flights: The jobs under way, by id.
        waiting: Trials that wait for another job: lost, or to be retried.
        state: Where the study stands; RUNNING until it is decided that it ends.
        reason: Why it ends, for people.
        error: The error that made it fail, if one did.
        grace: Seconds between asking a job to end and forcing it.
        to_submit: Jobs to be submitted when the turn is recorded.
        to_cancel: Ids of jobs to be cancelled then.
        to_put_in_place: Ids of jobs whose trials get another one's checkpoints then.
        news: What observers are to be told then.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.flights: dict[str, Flight] = {}
        self.waiting: deque[PendingTrial] = deque()
        self.state = StudyState.RUNNING
        self.reason = ""
        self.error: HpoError | None = None
        self.grace = setting.config.job.grace
        self.to_submit: list[Job] = []
        self.to_cancel: list[str] = []
        self.to_put_in_place: list[str] = []
        self.news: list[StudyEvent] = []
        self._has_observers = bool(setting.announcer)
        self._wanted = frozenset(
            [each.metric for each in setting.config.objectives]
            + [each.metric for each in setting.config.constraints]
        )

    @property
    def is_running(self) -> bool:
        """Whether the study goes on: nothing has decided that it ends."""
        return self.state is StudyState.RUNNING

    @property
    def has_observers(self) -> bool:
        """Whether there is anybody to be told news."""
        return self._has_observers

    def progress(self, now: float) -> Progress:
        """Return how far the study is."""
        accounts = self.setting.accounts
        return Progress(
            running=len(self.flights),
            completed=accounts.completed,
            failed=accounts.failed,
            stopped=accounts.stopped,
            paused=accounts.paused,
            usage=accounts.usage(now),
        )

    def flight(self, job: Job, trial: PendingTrial, queued: float) -> Flight:
        """Return a job as it is when it begins."""
        most = self.setting.config.job.max_iterations
        is_final = not self.setting.is_resuming or job.iterations == most
        target = Target(job.iterations, most=most, wanted=self._wanted, is_final=is_final)
        return Flight(job, trial, queued, target)

    # -- endings ----------------------------------------------------------------------------

    def end(self, state: StudyState, reason: str, error: HpoError | None = None) -> None:
        """Launch nothing more, and end what runs: as lost if it is to be run again.

        A job that has trained as far as it was to has its grace period to end by itself.
        """
        self.state, self.reason, self.error = state, reason, error
        fate = JobState.STOPPED if state is StudyState.FINISHED else JobState.LOST
        for flight in self.flights.values():
            if state is StudyState.FINISHED and flight.target.is_reached:
                self.leave_grace(flight, self.setting.clock.now())
            else:
                self.cancel(flight, fate, reason)

    def fail(self, error: HpoError) -> None:
        """End the study as failed, unless it has failed already."""
        if self.state is not StudyState.FAILED:
            self.end(StudyState.FAILED, str(error), error)

    def cancel(self, flight: Flight, fate: JobState, reason: str) -> None:
        """End a job, unless it is being ended already."""
        if flight.ending is None:
            flight.ending, flight.reason = fate, reason
            flight.deadline = flight.silent_until = math.inf
            self.to_cancel.append(flight.job.id)

    def leave_grace(self, flight: Flight, now: float) -> None:
        """Leave a job that has reached its target the grace period to end by itself."""
        if flight.ending is None:
            flight.deadline = min(flight.deadline, now + self.grace)

    def end_at_target(self, flight: Flight) -> None:
        """End a job that goes on although it has met its target."""
        self.cancel(flight, *flight.end_at_target())

    # -- the strategy is told ---------------------------------------------------------------

    def tell(
        self,
        flight: Flight,
        status: Status,
        iteration: int | None,
        metrics: Mapping[str, float],
        losses: Losses | None,
        time: float,
    ) -> Decision:
        """Tell the strategy what a job has reported, record that, and return its decision.

        The iteration is recorded as it was reported, and told up to the job's target. A strategy
        that has raised is told nothing more, and what it does not decide goes on.
        """
        report = Report(
            trial_id=flight.trial.id,
            job_id=flight.job.id,
            iteration=flight.target.heard(iteration),
            losses=losses,
            status=status,
            metrics=metrics,
            attempt=flight.trial.failures + 1,
        )
        decision = None
        if not isinstance(self.error, StrategyError):
            try:
                decision = self.setting.advisor.tell(report)
            except StrategyError as error:
                self.fail(error)
        self.setting.writer.told(report, flight.trial.attempt, iteration, time, decision)
        return decision or Decision.CONTINUE

    def replace_attempt(self, trial: PendingTrial, time: float) -> None:
        """Record that a trial is retried; the strategy forgets what its failed job reported.

        Where it neither does so itself nor can be rebuilt, it keeps that, and a warning says so.
        """
        self.setting.writer.retry(trial.id, trial.attempt, time)
        advisor = self.setting.advisor
        if not trial.is_heard or advisor.handles_attempts or isinstance(self.error, StrategyError):
            return
        try:
            advisor.replace(self.setting.rebuild())
        except HpoError as error:
            self.setting.writer.strategy_keeps()
            _log.warning(
                "trial %d is retried, but the strategy can't forget what its failed job reported: "
                "it could not be rebuilt without that (%s)",
                trial.id,
                error,
            )

    def settle(
        self, flight: Flight, state: JobState, losses: Losses | None, decision: Decision
    ) -> bool:
        """Record where a trial stands after its job, and return whether it is the best."""
        trial_state = _TRIAL_STATE[state]
        may_go_on = not (flight.is_at_last_target or flight.is_cut_short)
        if state is JobState.COMPLETED and decision is Decision.PAUSE and may_go_on:
            trial_state = TrialState.PAUSED
        self.setting.writer.trial(flight.trial.id, trial_state, losses)
        self.setting.accounts.trial_ended(trial_state)
        is_feasible = feasible(self.setting.config.constraints, flight.all_metrics)
        self.setting.keeper.trial_ended(
            flight.trial.id, trial_state, losses if is_feasible else None
        )
        if trial_state is TrialState.FAILED:
            self._heed_failure(flight.trial.id)
        return (
            trial_state is TrialState.COMPLETED
            and losses is not None
            and is_feasible
            and self.setting.incumbents.take_in(losses)
        )

    def _heed_failure(self, trial_id: int) -> None:
        """End the study as failed, if that is what a failed trial comes to."""
        config, failed = self.setting.config, self.setting.accounts.failed
        at_start = self.setting.accounts.failed_at_start
        if config.on_failure == "stop":
            self.fail(StudyFailed(f"trial {trial_id} failed, and on_failure is 'stop'"))
        elif config.max_failures is not None and failed > config.max_failures:
            said = f"{counted(failed, 'trial')} failed, and max_failures is {config.max_failures}"
            self.fail(StudyFailed(said))
        elif 0 < (config.max_failures_at_start or 0) <= at_start:
            self.fail(StudyFailed(_failed_at_start(at_start)))


def _failed_at_start(trials: int) -> str:
    what = "the first trial" if trials == 1 else f"each of the first {trials} trials"
    return f"{what} failed, and max_failures_at_start is {trials} (0 means go on)"
