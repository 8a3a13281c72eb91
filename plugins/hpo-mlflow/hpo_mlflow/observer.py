"""The events of a study as runs of MLflow.

The observer is notified in the background, so it may wait for its server. Whatever it missed, each
event creates the runs that it needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hpo_core.plugin import (
    FinishedJob,
    Job,
    JobFinished,
    JobReported,
    JobStarted,
    JobState,
    ObservedStudy,
    StudyEnded,
    StudyEvent,
    StudyStarted,
    StudyState,
)
from hpo_mlflow import report
from hpo_mlflow.names import labels, text
from hpo_mlflow.options import MlflowOptions

if TYPE_CHECKING:
    from hpo_mlflow.runs import Runs

_OF_JOBS = {
    JobState.COMPLETED: "FINISHED",
    JobState.STOPPED: "KILLED",
    JobState.PAUSED: "SCHEDULED",
    JobState.FAILED: "FAILED",
    JobState.TIMED_OUT: "FAILED",
    JobState.LOST: "SCHEDULED",
}
_OF_STUDIES = {
    StudyState.FINISHED: "FINISHED",
    StudyState.FAILED: "FAILED",
    StudyState.INTERRUPTED: "KILLED",
}


class _Trial:
    """The run of a trial, its parameters, and what this session has logged of its job."""

    def __init__(self, run: str, parameters: Mapping[str, str]) -> None:
        self.run = run
        self.parameters = parameters
        self.reports = 0
        self.last: dict[str, float] = {}


class MlflowObserver:
    """Logs a study to MLflow.

    Args:
        study: The study.
        options: The options.
    """

    def __init__(self, study: ObservedStudy, options: MlflowOptions) -> None:
        self._study = study
        self._options = options
        self._started: StudyStarted | None = None
        self._runs: Runs | None = None
        self._own: str | None = None
        self._is_resumed = False
        self._best_job: str | None = None
        self._trials: dict[int, _Trial] = {}

    def observe(self, event: StudyEvent, /) -> None:
        """Log an event. Raises what MLflow raises."""
        for error in self.observe_all([event]):
            raise error

    def observe_all(self, events: Sequence[StudyEvent], /) -> Sequence[Exception]:
        """Log events, with few requests, and return what MLflow raised."""
        errors: list[Exception] = []
        for event in events:
            try:
                self._observe(event)
            except Exception as error:  # noqa: BLE001  # the next event may be of another run
                errors.append(error)
        try:
            if self._runs is not None:
                self._runs.send_all()
        except Exception as error:  # noqa: BLE001  # what was to be sent is lost
            errors.append(error)
        return errors[: len(events)]

    def _observe(self, event: StudyEvent) -> None:
        match event:
            case StudyStarted():
                self._started = event
                self._study_run()
            case JobStarted():
                self._start(event.job, event.time)
            case JobReported():
                self._report(event)
            case JobFinished():
                self._finish(event.finished, event.time)
            case StudyEnded():
                self._end(event)

    # -- the study's run ------------------------------------------------------------------------

    def _server(self) -> Runs:
        """Return the runs of the study; connect to the server if need be."""
        if self._runs is None:
            from hpo_mlflow.runs import Runs

            experiment = self._options.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME")
            uid = "" if self._started is None else self._started.uid
            self._runs = Runs(self._options.tracking_uri, experiment or self._study.name, uid)
        return self._runs

    def _study_run(self) -> str:
        """Return the run of the study: that of earlier sessions, or a new one."""
        if self._own is None:
            started, runs = self._started, self._server()
            found = runs.find(None)
            self._is_resumed = found is not None
            if found is None:
                time = 0.0 if started is None else started.time
                self._own = runs.create(self._study.name, time, self._study_tags())
            else:
                runs.run_again(found.run)
                runs.send(found.run, self._study_tags())
                self._own = found.run
        return self._own

    def _study_tags(self) -> dict[str, str]:
        started = self._started
        tags = {"hpo.kind": "study", "hpo.study": self._study.name, "hpo.state": "running"}
        if started is not None:
            wanted = (f"{each.direction} {each.metric}" for each in started.objectives)
            tags |= {"hpo.strategy": started.strategy, "hpo.objective": "; ".join(wanted)}
        return {**labels(self._study.config.get("tags", ())), **tags}

    def _end(self, event: StudyEnded) -> None:
        runs, own = self._server(), self._study_run()
        tags = {"hpo.state": event.state.value, "hpo.reason": event.reason}
        if self._best_job is not None:
            tags["hpo.best_job"] = self._best_job
        runs.send(own, tags)
        runs.end(own, _OF_STUDIES.get(event.state, "KILLED"), event.time)
        store = self._study.store
        if self._options.report and store is not None and report.is_installed():
            with report.report_of(self._study.name, store) as file:
                if file is not None:
                    runs.artifact(own, file)

    # -- the runs of trials ---------------------------------------------------------------------

    def _trial(self, job: Job, time: float) -> _Trial:
        """Return the run of a job's trial: that of its earlier jobs, or a new one."""
        if job.trial_id not in self._trials:
            parent, runs = self._study_run(), self._server()
            found = runs.find(job.trial_id) if self._is_resumed else None
            if found is not None:
                self._trials[job.trial_id] = _Trial(*found)
            else:
                tags = {"hpo.kind": "trial", "hpo.trial_id": str(job.trial_id)}
                run = runs.create(job.name, time, {**self._job_tags(job), **tags}, parent)
                parameters = _texts(job.configuration)
                self._trials[job.trial_id] = _Trial(run, parameters)
                runs.parameters(run, parameters)
        return self._trials[job.trial_id]

    def _start(self, job: Job, time: float) -> None:
        runs, is_known = self._server(), job.trial_id in self._trials
        trial = self._trial(job, time)
        if is_known or self._is_resumed:
            given = _texts(job.configuration).items()
            changed = {  # by the strategy, while parameters of MLflow never change
                f"hpo.param.{name}": text
                for name, text in given
                if trial.parameters.get(name) != text
            }
            runs.run_again(trial.run)
            runs.send(trial.run, {**self._job_tags(job), **changed})

    def _job_tags(self, job: Job) -> dict[str, str]:
        return {**labels(job.tags), "hpo.job": job.id, "hpo.state": "running"}

    def _report(self, event: JobReported) -> None:
        trial = self._trial(event.job, event.time)
        step = trial.reports if event.iteration is None else event.iteration
        self._server().metrics(trial.run, event.metrics, step, event.time)
        trial.reports += 1
        trial.last.update(event.metrics)

    def _finish(self, finished: FinishedJob, time: float) -> None:
        runs = self._server()
        trial = self._trial(finished.job, time)
        new = {
            name: value for name, value in finished.metrics.items() if trial.last.get(name) != value
        }
        step = trial.reports if finished.iteration is None else finished.iteration
        runs.metrics(trial.run, new, step, time)
        tags = {"hpo.state": finished.state.value, "hpo.reason": finished.reason}
        if finished.cause is not None:
            tags["hpo.cause"] = finished.cause.value
        runs.send(trial.run, tags)
        runs.end(trial.run, _OF_JOBS.get(finished.state, "FAILED"), time)
        if finished.best_job is not None and finished.is_best:
            own = self._study_run()
            best = {f"best.{name}": value for name, value in finished.values.items()}
            runs.metrics(own, best, finished.job.trial_id, time)
            self._best_job = finished.best_job
        trial.last.clear()


def _texts(configuration: Mapping[str, object]) -> dict[str, str]:
    return {name: text(value) for name, value in configuration.items()}
