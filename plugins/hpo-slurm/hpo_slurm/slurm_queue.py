"""What Slurm has of a study: its jobs are listed, and cancelled."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Iterable

from hpo_core.plugin import BackendContext, BackendError
from hpo_slurm import commands, states
from hpo_slurm.commands import SlurmError
from hpo_slurm.states import SlurmJob

_LONGEST_PAUSE = 2.0
_log = logging.getLogger("hpo_core")


class SlurmQueue:
    """The Slurm jobs of a study. Each method waits for Slurm.

    Args:
        context: The study.
        kill_wait: Seconds that Slurm gives a cancelled job.
    """

    def __init__(self, context: BackendContext, kill_wait: float) -> None:
        self._context = context
        self._kill_wait = kill_wait

    def jobs(self) -> list[SlurmJob]:
        """Return the jobs of the study that Slurm knows.

        Raises:
            SlurmError: If it does not answer.
        """
        listing = commands.run(
            "squeue",
            "--noheader",
            "--array",
            "--states=all",
            f"--user={os.getuid()}",
            f"--name={self._context.study}",
            f"--format={states.FORMAT}",
        )
        return list(states.jobs_of(self._context.study_uid, listing))

    def jobs_now(self) -> list[SlurmJob]:
        """Return the jobs of the study that Slurm knows, when nothing can be done without them.

        Raises:
            BackendError: If it does not answer.
        """
        try:
            return self.jobs()
        except SlurmError as error:
            raise BackendError(
                f"Slurm cannot be asked which jobs of this study it has: {error}; wait until it "
                "answers, then resume: hpo resume"
            ) from error

    def accepted(self, batch: str) -> str | None:
        """Return the Slurm job of a batch, if Slurm has it.

        Raises:
            SlurmError: If it does not answer.
        """
        for job in self.jobs():
            if job.batch == batch:
                return job.id.partition("_")[0]
        return None

    def cancel(self, slurm_ids: Iterable[str]) -> None:
        """Cancel Slurm jobs."""
        try:
            commands.run("scancel", *slurm_ids)
        except SlurmError as error:  # those that have ended; or Slurm is away, and is asked again
            _log.debug("%s", error)

    def exit_code(self, slurm_id: str) -> str:
        """Return the exit code of a job; ``""`` if Slurm does not know it any more."""
        try:
            return states.exit_code(commands.run("scontrol", "show", "job", "--oneliner", slurm_id))
        except SlurmError:
            return ""

    def end_all(self, *, but: Collection[str] = ()) -> None:
        """Cancel the jobs of the study, and wait until none is active.

        Args:
            but: Those that go on.

        Raises:
            BackendError: If Slurm has not ended them in time.
        """
        until = time.monotonic() + self._kill_wait + 30.0
        pause = 0.2
        while left := [job.id for job in self.jobs_now() if job.is_active and job.id not in but]:
            if time.monotonic() > until:
                raise BackendError(
                    f"Slurm has not ended these jobs: {', '.join(left)}; see squeue, and end them "
                    "with scancel"
                )
            self.cancel(left)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
