"""The events that observers are notified of, as effects."""

from __future__ import annotations

from collections.abc import Mapping

from hpo_core.config import StudyConfig
from hpo_core.contracts.backend import Reported
from hpo_core.contracts.observer import (
    JobFinished,
    JobReported,
    JobStarted,
    Progress,
    StudyEnded,
    StudyStarted,
)
from hpo_core.controller.run.budget_tracker import BudgetTracker
from hpo_core.controller.run.effects import NOTHING, Effects
from hpo_core.controller.run.incumbents import Incumbents
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.controller.run.state import RunState
from hpo_core.model.job import JobState
from hpo_core.model.objective import Losses


class StudyEvents:
    """Creates the events of a run; none if there are no observers.

    Args:
        config: The study's configuration.
        uid: The study's uid.
        state: Where the run stands.
        budget: What is used of the budget.
        incumbents: The best trials so far.
        is_observed: Whether there are observers.
    """

    def __init__(
        self,
        config: StudyConfig,
        uid: str,
        state: RunState,
        budget: BudgetTracker,
        incumbents: Incumbents,
        *,
        is_observed: bool,
    ) -> None:
        self._config = config
        self._uid = uid
        self._state = state
        self._budget = budget
        self._incumbents = incumbents
        self._is_observed = is_observed

    def study_started(self, now: float) -> Effects:
        """Return the event of a study that is started or resumed."""
        if not self._is_observed:
            return NOTHING
        event = StudyStarted(
            name=self._config.name,
            objectives=self._config.objectives,
            budget=self._config.budget,
            workers=self._config.workers,
            strategy=self._config.strategy.name,
            time=now,
            progress=self._progress(now),
            best=self._incumbents.best,
            uid=self._uid,
        )
        return Effects(notify=(event,))

    def study_ended(self, now: float) -> Effects:
        """Return the event of a session that has ended."""
        if not self._is_observed:
            return NOTHING
        event = StudyEnded(
            name=self._config.name,
            state=self._state.study,
            reason=self._state.reason,
            time=now,
            progress=self._progress(now),
        )
        return Effects(notify=(event,))

    def job_started(self, job: RunningJob, time: float) -> Effects:
        """Return the event of a job that has started."""
        if not self._is_observed:
            return NOTHING
        progress = self._progress(time)
        return Effects(notify=(JobStarted(job=job.job, time=time, progress=progress),))

    def job_reported(
        self, job: RunningJob, event: Reported, metrics: Mapping[str, float]
    ) -> Effects:
        """Return the event of a report; `metrics` are the values that count."""
        if not self._is_observed:
            return NOTHING
        reported = JobReported(
            job=job.job, time=event.time, iteration=event.iteration, metrics=metrics
        )
        return Effects(notify=(reported,))

    def job_finished(
        self,
        job: RunningJob,
        state: JobState,
        reason: str,
        losses: Losses | None,
        *,
        ended: float,
        time: float,
        is_best: bool = False,
    ) -> Effects:
        """Return the event of a job that ended at `ended`; `time` is the time of the event."""
        if not self._is_observed:
            return NOTHING
        finished = job.as_finished(
            self._config.objectives,
            state,
            reason,
            losses,
            ended,
            is_best=is_best,
            best_job=self._incumbents.best_job,
        )
        event = JobFinished(finished=finished, time=time, progress=self._progress(time))
        return Effects(notify=(event,))

    def _progress(self, now: float) -> Progress:
        """Return the counts. A job that waits for a worker uses nothing of the budget yet."""
        budget = self._budget
        return Progress(
            running=budget.running,
            completed=budget.completed,
            failed=budget.failed,
            stopped=budget.stopped,
            paused=budget.paused,
            usage=budget.usage_by_started_jobs(now),
        )
