"""Warn of jobs that count iterations in another unit than the study, or not at all."""

from __future__ import annotations

import logging

from hpo_core.config import StudyConfig
from hpo_core.controller.run.running_job import RunningJob
from hpo_core.model.job import JobState
from hpo_core.model.report import how_to_report

_log = logging.getLogger("hpo_core")


class IterationWarnings:
    """Emits each of two warnings once per run.

    Args:
        config: The study's configuration.
        is_pruning: Whether the strategy stops jobs by the iterations that they report.
    """

    def __init__(self, config: StudyConfig, *, is_pruning: bool) -> None:
        self._config = config
        self._most = config.job.max_iterations
        self._awaits_count = is_pruning  # until a job reports an iteration or the warning was given

    def reported(self, job: RunningJob, iteration: int | None) -> None:
        """Warn if a job reports an iteration beyond the study's maximum."""
        if iteration is None:
            return
        self._awaits_count = False
        most = self._most
        if most is None or iteration <= most:
            return
        self._most = None  # warned once
        _log.warning(
            "job %s reported iteration %d, but max_iterations is %d: it counts as iteration %d, "
            "and the job is completed. Do both count the same unit? A job that counts optimizer "
            "steps needs max_iterations in steps, or else has to report epochs. (Later jobs like "
            "it are not mentioned.)",
            job.job.id,
            iteration,
            most,
            most,
        )

    def finished(self, job: RunningJob, state: JobState) -> None:
        """Warn if the strategy cannot stop jobs because they report no iteration."""
        is_counted_by_target = job.trial.is_target_suggested  # its end is its only iteration
        if not self._awaits_count or state is not JobState.COMPLETED or is_counted_by_target:
            return
        self._awaits_count = False
        _log.warning(
            "the strategy %r stops jobs early by their iterations, but job %s reported none, so "
            "none is ever stopped; report the iteration too, %s; or leave the pruner out",
            self._config.strategy.name,
            job.job.id,
            how_to_report(self._config.objectives[0].metric, 3),
        )
