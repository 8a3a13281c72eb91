"""The events of a study as event files: a folder for each trial, and one for the study."""

from __future__ import annotations

import os

from hpo_core.plugin import (
    FinishedJob,
    Job,
    JobFinished,
    JobReported,
    JobStarted,
    JobState,
    ObservedStudy,
    StudyEvent,
    StudyStarted,
)
from hpo_tensorboard import hparams
from hpo_tensorboard.event_log import EventLog
from hpo_tensorboard.options import ObserverOptions


class _Trial:
    """The events of a trial in this session."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.reports = 0
        self.last: dict[str, float] = {}


class TensorBoardObserver:
    """Writes event files.

    Args:
        study: The study.
        options: The options.
    """

    def __init__(self, study: ObservedStudy, options: ObserverOptions) -> None:
        self._folder = os.path.join(study.config["job"]["directory"], options.directory, study.name)
        self._kinds = hparams.kinds_of(study.config["space"])
        self._trials: dict[int, _Trial] = {}
        self._time = 0.0

    def observe(self, event: StudyEvent, /) -> None:
        """Write an event."""
        match event:
            case StudyStarted():
                self._begin(event)
            case JobStarted():
                self._trial(event.job, event.time)
            case JobReported():
                trial = self._trial(event.job, event.time)
                step = trial.reports if event.iteration is None else event.iteration
                trial.log.scalars(event.metrics, step, event.time)
                trial.reports += 1
                trial.last.update(event.metrics)
            case JobFinished():
                self._finish(event.finished, event.time)

    def _begin(self, event: StudyStarted) -> None:
        self._time = event.time
        metrics = [objective.metric for objective in event.objectives]
        columns = hparams.columns(self._kinds, metrics, event.time)
        EventLog(self._folder, event.time).summary(columns, event.time)

    def _trial(self, job: Job, time: float) -> _Trial:
        if job.trial_id not in self._trials:
            folder = os.path.join(self._folder, f"trial-{job.trial_id}")
            self._trials[job.trial_id] = trial = _Trial(EventLog(folder, self._time))
            trial.log.summary(hparams.start(job.configuration, self._kinds, time), time)
        return self._trials[job.trial_id]

    def _finish(self, finished: FinishedJob, time: float) -> None:
        trial = self._trial(finished.job, time)
        new = {
            name: value for name, value in finished.metrics.items() if trial.last.get(name) != value
        }
        step = trial.reports if finished.iteration is None else finished.iteration
        if new:
            trial.log.scalars(new, step, time)
        if finished.state not in (JobState.PAUSED, JobState.LOST):
            succeeded = finished.state in (JobState.COMPLETED, JobState.STOPPED)
            trial.log.summary(hparams.end(time, succeeded=succeeded), time)
        trial.last.clear()
