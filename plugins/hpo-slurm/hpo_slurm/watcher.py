"""Ask Slurm about the jobs that do not speak for themselves, and conclude from that."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial

from hpo_core.plugin import FailureCause, Outcome, RemoteBackend
from hpo_slurm import states
from hpo_slurm.batches import Batches
from hpo_slurm.commands import CommandThread, SlurmError
from hpo_slurm.slurm_queue import SlurmQueue
from hpo_slurm.states import Ended, SlurmJob
from hpo_slurm.submitter import Submitter
from hpo_slurm.warn_once import WarnOnce

SOON = 2.0
"""Seconds until Slurm is asked about a job that has just become silent."""


class Watcher:
    """Watches the jobs of a study. It is called in the controller's thread.

    Args:
        backend: The backend, which is told what becomes of them.
        submitter: Knows the Slurm job of each.
        interval: How often Slurm is asked, in seconds.
        slurm: The thread of Slurm's commands.
        queue: The Slurm jobs of the study.
        batches: The batches of the study.
        warnings: What users were told.
    """

    def __init__(
        self,
        backend: RemoteBackend,
        submitter: Submitter,
        interval: float,
        *,
        slurm: CommandThread,
        queue: SlurmQueue,
        batches: Batches,
        warnings: WarnOnce,
    ) -> None:
        self._backend = backend
        self._submitter = submitter
        self._interval = interval
        self._slurm = slurm
        self._queue = queue
        self._batches = batches
        self._warnings = warnings
        self._missing: dict[str, int] = {}  # how often squeue did not list it, in a row
        self._is_asking = False

    def ask_later(self, seconds: float | None = None) -> None:
        """Ask in a number of seconds, if there is something to ask then; None for the interval."""
        wait = self._interval if seconds is None else seconds
        self._backend.later("ask", wait, self._ask_now)

    def _ask_now(self) -> None:
        """Ask once about all jobs, if there are any that Slurm alone knows about."""
        silent = self._silent()
        if self._is_asking or not silent:
            return
        self._is_asking = True
        self._slurm.do(partial(self._ask, frozenset(silent)))

    def _silent(self) -> list[str]:
        """Return the jobs that Slurm has, and that do not speak for themselves."""
        backend = self._backend
        return [
            each
            for each in self._submitter.known
            if backend.is_unsure(each) or not backend.is_connected(each)
        ]

    # -- in the thread of commands ----------------------------------------------------------------

    def _ask(self, known: frozenset[str]) -> None:
        try:
            jobs = self._queue.jobs()
        except SlurmError as error:
            self._backend.post(partial(self._unanswered, error))
        else:
            self._backend.post(partial(self._listed, jobs, known))

    def _explain(self, job_id: str, job: SlurmJob) -> None:
        """Ask for the exit code of a job that has failed without a word of its agent."""
        ended = states.verdict(job, self._queue.exit_code(job.id))
        self._backend.post(partial(self._conclude_as, job_id, job, ended))

    # -- what the thread says ---------------------------------------------------------------------

    def _unanswered(self, error: SlurmError) -> None:
        self._is_asking = False
        self._warnings.warn("squeue", "%s; asking again every %g s", error, self._interval)
        self.ask_later()

    def _listed(self, jobs: Iterable[SlurmJob], known: frozenset[str]) -> None:
        self._is_asking = False
        self._warnings.forget("squeue")
        listed = {self._batches.job_id(job.batch, job.index): job for job in jobs}
        for job_id in known:
            job = listed.get(job_id)
            if not self._backend.is_under_way(job_id):
                continue
            if job is None:
                self._not_listed(job_id)
            else:
                self._missing.pop(job_id, None)
                self._judge(job_id, job)
        silent = self._silent()
        if silent:
            is_urgent = self._submitter.has_doomed or any(map(self._backend.has_started, silent))
            self.ask_later(min(SOON, self._interval) if is_urgent else None)

    # -- what Slurm says of jobs ------------------------------------------------------------------

    def _judge(self, job_id: str, job: SlurmJob) -> None:
        backend = self._backend
        if backend.read_spool(job_id) and not backend.is_connected(job_id):
            self._warn_of_files(job.node)
        if not backend.is_under_way(job_id):
            return
        if not job.is_active:
            if job.state == "FAILED":
                self._slurm.do(partial(self._explain, job_id, job))
            else:
                self._conclude_as(job_id, job, states.verdict(job))
        elif job.state in states.WAITING:
            if backend.has_started(job_id):
                self._slurm.do(partial(self._queue.cancel, [job.id]))
                backend.ended(job_id, Outcome.LOST, "Slurm has put it back into the queue")
            elif job.reason in states.NEVER:
                self._warnings.warn(
                    job_id,
                    "job %s (Slurm job %s) waits until somebody acts: %s; see squeue, or end it "
                    "with scancel",
                    job_id, job.id, job.reason,
                )  # fmt: skip

    def _warn_of_files(self, node: str) -> None:
        endpoint = self._backend.endpoint
        self._warnings.warn(
            "files",
            "jobs on %s do not reach this controller at %s, port %d; their reports are read from "
            "%s every %g s, and jobs do not wait for decisions; see host, port and reach in "
            "backend.options",
            node, " or ".join(endpoint.hosts), endpoint.port, self._backend.shared_folder,
            self._interval,
        )  # fmt: skip

    def _conclude_as(self, job_id: str, job: SlurmJob, ended: Ended) -> None:
        """Say how a job has ended, once Slurm and its agent have."""
        is_plain = ended.outcome is Outcome.COMPLETED or (
            ended.outcome is Outcome.FAILED and ended.cause is not FailureCause.OUT_OF_MEMORY
        )
        if is_plain and self._backend.is_unsure(job_id):
            self._backend.confirmed(job_id)
            return
        reason = ended.reason
        outcome = ended.outcome
        if outcome is Outcome.COMPLETED:
            outcome, reason = Outcome.LOST, "its agent ended without a word"
        if is_plain and (said := self._last_words(job.id)):
            reason = f"{reason}: {said.splitlines()[-1][:200]}\n{said}"
        self._backend.ended(job_id, outcome, reason, ended.cause)

    def _not_listed(self, job_id: str) -> None:
        """Slurm does not know a job any more: MinJobAge is over, or it has lost its state."""
        self._backend.read_spool(job_id)
        if not self._backend.is_under_way(job_id):
            return
        if self._backend.is_unsure(job_id):
            self._backend.confirmed(job_id)
            return
        self._missing[job_id] = self._missing.get(job_id, 0) + 1
        if self._missing[job_id] > 1:
            del self._missing[job_id]
            self._backend.ended(job_id, Outcome.LOST, "Slurm does not know it any more")

    def _last_words(self, slurm_id: str) -> str:
        """Return the end of what the batch script itself has printed."""
        path = os.path.join(self._backend.shared_folder, "slurm", f"{slurm_id}.out")
        try:
            with open(path, "rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""
