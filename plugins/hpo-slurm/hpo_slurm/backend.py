"""The backend: what `RemoteBackend` does not know of Slurm."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hpo_core.plugin import (
    BackendContext,
    BackendError,
    FailureCause,
    Finished,
    Job,
    JobOrder,
    RemoteBackend,
)
from hpo_slurm import commands, script
from hpo_slurm.batches import Batches
from hpo_slurm.commands import CommandThread, SlurmError
from hpo_slurm.options import SlurmOptions, check
from hpo_slurm.slurm_queue import SlurmQueue
from hpo_slurm.submitter import Submitter
from hpo_slurm.warn_once import WarnOnce
from hpo_slurm.watcher import SOON, Watcher

_log = logging.getLogger("hpo_core")


class SlurmBackend(RemoteBackend):
    """Runs each job of a study as a Slurm job.

    Args:
        context: The study.
        options: The options.

    Raises:
        BackendError: If Slurm cannot be reached, or would refuse the study's jobs.
        InvalidInput: If an option is invalid.
    """

    def __init__(self, context: BackendContext, options: SlurmOptions) -> None:
        check(options)
        if context.folder is None:
            raise BackendError(
                "the backend slurm needs a store in a folder that the nodes share, and this study "
                "is in memory; give it a store"
            )
        python = options.python or sys.executable
        try:
            cluster = commands.config()
        except SlurmError as error:
            raise BackendError(f"Slurm cannot be asked: {error}; check it with sinfo") from error
        check_jobs(context, options, python)
        super().__init__(context, host=options.host, port=options.port, reach=options.reach)
        self._error: Exception | None = None
        self._batches = Batches(self.shared_folder)
        self._slurm = CommandThread(lambda error: self.post(partial(self._fail, error)))
        self._queue = SlurmQueue(context, commands.number(cluster, "KillWait", 30))
        most = min(options.array, commands.number(cluster, "MaxArraySize", 1001) - 1)
        warnings = WarnOnce()
        self._submitter = Submitter(
            self,
            context,
            options,
            python=python,
            most=most,
            slurm=self._slurm,
            queue=self._queue,
            batches=self._batches,
            warnings=warnings,
        )
        self._watcher = Watcher(
            self,
            self._submitter,
            options.asks_every,
            slurm=self._slurm,
            queue=self._queue,
            batches=self._batches,
            warnings=warnings,
        )

    def launch(self, orders: Sequence[JobOrder]) -> None:
        """Submit jobs: one by itself, several as an array."""
        self._submitter.submit(orders)
        self._watcher.ask_later()

    def kill(self, job_ids: Sequence[str]) -> None:
        """Cancel Slurm jobs; those that are just being submitted are cancelled afterwards."""
        self._submitter.cancel(job_ids)
        self._watcher.ask_later(0.0)

    def find(self, jobs: Sequence[Job]) -> Mapping[str, Any]:
        """Return the jobs that Slurm knows; cancel all others of this study."""
        wanted = {job.id for job in jobs}
        found: dict[str, Any] = {}
        for job in self._queue.jobs_now():
            job_id = self._batches.job_id(job.batch, job.index)
            if job_id in wanted and job_id is not None:
                found[job_id] = job.id
                self._submitter.found(job_id, job.id)
        self._queue.end_all(but=found.values())
        if found:
            self._watcher.ask_later(0.0)
        return found

    def disconnected(self, job_id: str) -> None:
        """Ask Slurm what has become of the job."""
        self._watcher.ask_later(SOON)

    def confirm(self, finished: Finished, signalled: bool) -> Finished | None:
        """Let Slurm say why a job was killed."""
        if signalled or finished.cause is FailureCause.KILLED:
            self._watcher.ask_later(SOON)
            return None
        return finished

    def shut_down(self) -> None:
        """Wait until Slurm has ended all jobs."""
        self._slurm.close()
        try:
            self._queue.end_all()
        except BackendError as error:
            _log.warning("%s", error)

    def events(self, timeout: float | None) -> Sequence[Any]:
        """Wait for events.

        Raises:
            BackendError: If Slurm's commands cannot be run any more.
        """
        found = super().events(timeout)
        if self._error is not None:
            raise self._error
        return found

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.wake()


def check_jobs(context: BackendContext, options: SlurmOptions, python: str) -> None:
    """Have Slurm check a job: a mistake in the options is an error before the first one.

    Raises:
        BackendError: If Slurm would refuse it.
    """
    arguments = script.arguments(context, options, options.minutes)
    text = script.text(options, ["/dev/null"], python)
    try:
        commands.run("sbatch", "--test-only", "--output=/dev/null", *arguments, text=text)
    except SlurmError as error:
        # What has no node now may have one later: jobs wait in the queue, or are refused there.
        if not error.passes and "node configuration is not available" not in str(error):
            raise BackendError(
                f"Slurm refuses the jobs of this study: {error}; check backend.options, and "
                "job.resources"
            ) from error
