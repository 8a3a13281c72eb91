"""The events of a study as runs of Weights & Biases, all in one group.

The observer is notified in the background, so it may wait for wandb.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

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
)
from hpo_wandb.login import mode_of
from hpo_wandb.options import WandbOptions

_LONGEST_TAG = 64
_SUCCEEDED = (JobState.COMPLETED, JobState.STOPPED, JobState.PAUSED)

_SETTINGS = {
    "console": "off",  # the output of this process is not that of the job
    "disable_git": True,
    "init_timeout": 30,
    "silent": True,
    "x_disable_stats": True,  # likewise its use of the machine
}


class _Trial:
    """The open run of a trial."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self.reports = 0
        self.last: dict[str, float] = {}


class WandbObserver:
    """Logs a study to Weights & Biases.

    Args:
        study: The study.
        options: The options.
    """

    def __init__(self, study: ObservedStudy, options: WandbOptions) -> None:
        self._study = study
        self._options = options
        self._mode = mode_of(options.mode)
        self._folder = os.path.join(study.config["job"]["directory"], options.directory)
        self._started: StudyStarted | None = None
        self._trials: dict[int, _Trial] = {}

    def observe(self, event: StudyEvent, /) -> None:
        """Log an event. Raises what wandb raises."""
        match event:
            case StudyStarted():
                self._started = event
            case JobStarted():
                self._trial(event.job)
            case JobReported():
                trial = self._trial(event.job)
                step = trial.reports if event.iteration is None else event.iteration
                trial.run.log({**event.metrics, "iteration": step})
                trial.reports += 1
                trial.last.update(event.metrics)
            case JobFinished():
                self._finish(event.finished)
            case StudyEnded():
                for number in list(self._trials):  # of jobs whose ends were missed
                    self._trials.pop(number).run.finish(exit_code=1)

    def _trial(self, job: Job) -> _Trial:
        """Return the run of a job's trial: the open one, that of earlier jobs, or a new one."""
        if job.trial_id not in self._trials:
            import wandb

            os.makedirs(self._folder, exist_ok=True)
            run = wandb.init(
                project=self._options.project or os.environ.get("WANDB_PROJECT") or "hpo-core",
                entity=self._options.entity,
                group=self._options.group or self._study.name,
                job_type="trial",
                name=job.name,
                id=self._id(job.trial_id),
                tags=_tags([*self._study.config.get("tags", ()), *job.tags]),
                config=dict(job.configuration),
                dir=self._folder,
                mode=self._mode,
                reinit="create_new",
                resume="allow" if self._mode == "online" else None,
                allow_val_change=True,
                settings=wandb.Settings(**_SETTINGS),
            )
            run.define_metric("iteration", hidden=True)
            run.define_metric("*", step_metric="iteration")
            self._trials[job.trial_id] = _Trial(run)
        return self._trials[job.trial_id]

    def _id(self, trial: int) -> str:
        """Return the id of a trial's run, the same in all sessions."""
        uid = "" if self._started is None else self._started.uid
        return f"{uid[:16]}-{trial}"

    def _finish(self, finished: FinishedJob) -> None:
        trial = self._trial(finished.job)
        new = {
            name: value for name, value in finished.metrics.items() if trial.last.get(name) != value
        }
        if new:
            step = trial.reports if finished.iteration is None else finished.iteration
            trial.run.log({**new, "iteration": step})
        about = {"job": finished.job.id, "state": finished.state.value, "reason": finished.reason}
        if finished.cause is not None:
            about["cause"] = finished.cause.value
        for name, value in about.items():
            trial.run.summary[f"hpo/{name}"] = value
        if finished.state is not JobState.LOST:  # its next job goes on with the run
            del self._trials[finished.job.trial_id]
            trial.run.finish(exit_code=0 if finished.state in _SUCCEEDED else 1)


def _tags(tags: Iterable[str]) -> list[str]:
    """Return tags as wandb accepts them; a long one ends with ``…``."""
    cut = (tag if len(tag) <= _LONGEST_TAG else f"{tag[: _LONGEST_TAG - 1]}…" for tag in tags)
    return list(dict.fromkeys(cut))
