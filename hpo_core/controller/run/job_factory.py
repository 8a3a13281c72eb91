"""Create the jobs of trials."""

from __future__ import annotations

from hpo_core.controller.run.context import RunContext
from hpo_core.controller.run.pending_trial import PendingTrial
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.controller.run.targets import Target
from hpo_core.model.job import Job, job_id
from hpo_core.model.placeholders import job_tags, label_values
from hpo_core.model.templates import template


class JobFactory:
    """Creates jobs, for the backend and for the controller.

    Args:
        context: The study.
    """

    def __init__(self, context: RunContext) -> None:
        config = context.config
        self._config = config
        self._folder = context.folder
        self._checkpoints = context.folder.checkpoints
        self._is_resuming = context.is_resuming
        self._name = template(config.job_name)
        self._wanted = frozenset(
            [each.metric for each in config.objectives]
            + [each.metric for each in config.constraints]
        )

    def job(self, trial: PendingTrial, step: int = 0) -> Job:
        """Return a trial's next job; with a step of -1 the one before it."""
        name = job_id(trial.id, trial.attempt + step)
        values = {**trial.configuration, **label_values(self._config.name, trial.id, name)}
        return Job(
            id=name,
            trial_id=trial.id,
            name=self._name.render(values),
            configuration=trial.configuration,
            iterations=trial.target,
            checkpoint_dir=self._checkpoints.folder(trial.id),
            log=self._folder.log(name),
            time_limit=self._config.job.time_limit,
            silence_limit=None if self._config.job.is_read else self._config.job.silence_limit,
            grace=self._config.job.grace,
            tags=job_tags(self._config.job.tags, values),
        )

    def running(self, job: Job, trial: PendingTrial, queued: float) -> RunningJob:
        """Return the running job for a job that is submitted."""
        most = self._config.job.max_iterations
        is_final = not self._is_resuming or job.iterations == most
        target = Target(job.iterations, most=most, wanted=self._wanted, is_final=is_final)
        return RunningJob(job, trial, queued, target)
