"""The backend: what `RemoteBackend` does not know of Slurm."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from hpo_core.plugin import (
    BackendContext,
    BackendError,
    FailureCause,
    Finished,
    Job,
    JobOrder,
    Outcome,
    RemoteBackend,
)
from hpo_slurm import commands, script, states
from hpo_slurm.batches import Batches
from hpo_slurm.commands import CommandThread, SlurmError
from hpo_slurm.options import SlurmOptions, check
from hpo_slurm.states import Ended, SlurmJob

SOON = 2.0
"""Seconds until Slurm is asked about a job that has just become silent."""

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
        self._context, self._options = context, options
        self._python = options.python or sys.executable
        self._interval = options.asks_every
        try:
            cluster = commands.config()
        except SlurmError as error:
            raise BackendError(f"Slurm cannot be asked: {error}; check it with sinfo") from error
        self._check()
        self._kill_wait = commands.number(cluster, "KillWait", 30)
        self._most = min(options.array, commands.number(cluster, "MaxArraySize", 1001) - 1)
        super().__init__(context, host=options.host, port=options.port, reach=options.reach)
        self._batches = Batches(self.shared_folder)
        self._slurm = CommandThread(lambda error: self.post(partial(self._fail, error)))
        self._ids: dict[str, str] = {}  # the Slurm job of each job, once it is known
        self._doomed: dict[str, None] = {}  # to be cancelled once it is known
        self._missing: dict[str, int] = {}  # how often squeue did not list it, in a row
        self._warned: set[str] = set()
        self._is_asking = False
        self._error: Exception | None = None

    # -- what RemoteBackend asks for --------------------------------------------------------------

    def launch(self, orders: Sequence[JobOrder]) -> None:
        """Submit jobs: one by itself, several as an array."""
        os.makedirs(os.path.join(self.shared_folder, "slurm"), mode=0o700, exist_ok=True)
        arguments = self._arguments(orders[0])
        for start in range(0, len(orders), max(self._most, 1)):
            some = orders[start : start + max(self._most, 1)]
            files = [self.order_file(order) for order in some]
            job_ids = [order.job_id for order in some]
            batch = self._batches.write(job_ids)
            own = script.of_batch(self._context, batch, len(some), self.shared_folder)
            text = script.text(self._options, files, self._python)
            self._slurm.do(partial(self._submit, batch, job_ids, [*arguments, *own], text))
        self._ask_later(self._interval)

    def kill(self, job_ids: Sequence[str]) -> None:
        """Cancel Slurm jobs; those that are just being submitted are cancelled afterwards."""
        known = [self._ids[job_id] for job_id in job_ids if job_id in self._ids]
        self._doomed.update((job_id, None) for job_id in job_ids if job_id not in self._ids)
        if known:
            self._slurm.do(partial(self._cancel, known))
        self._ask_later(0.0)

    def find(self, jobs: Sequence[Job]) -> Mapping[str, Any]:
        """Return the jobs that Slurm knows; cancel all others of this study."""
        wanted = {job.id for job in jobs}
        found: dict[str, Any] = {}
        foreign = []
        for job in self._listed_now():
            job_id = self._batches.job_id(job.batch, job.index)
            if job_id in wanted and job_id is not None:
                self._ids[job_id] = found[job_id] = job.id
            elif job.is_active:
                foreign.append(job.id)
        if foreign:
            self._cancel(foreign)
            self._wait_for_the_end()
        if found:
            self._ask_later(0.0)
        return found

    def disconnected(self, job_id: str) -> None:
        """Ask Slurm what has become of the job."""
        self._ask_later(SOON)

    def confirm(self, finished: Finished, signalled: bool) -> Finished | None:
        """Let Slurm say why a job was killed."""
        if signalled or finished.cause is FailureCause.KILLED:
            self._ask_later(SOON)
            return None
        return finished

    def shut_down(self) -> None:
        """Wait until Slurm has ended all jobs."""
        self._slurm.close()
        try:
            self._wait_for_the_end()
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

    # -- in the thread of commands ----------------------------------------------------------------

    def _submit(
        self, batch: str, job_ids: list[str], arguments: list[str], text: str, again: bool = False
    ) -> None:
        """Submit a batch, unless an attempt whose answer was lost has done so."""
        try:
            first = self._accepted(batch) if again else None
            if first is None:
                first = commands.run("sbatch", "--parsable", *arguments, text=text)
        except SlurmError as error:
            if error.passes:
                retry = partial(self._submit, batch, job_ids, arguments, text, True)
                self.post(partial(self._wait_for_slurm, f"{error}", retry, batch))
            else:
                self.post(partial(self._refused, job_ids, str(error)))
        else:
            slurm_id = first.strip().partition(";")[0]
            self.post(partial(self._submitted, job_ids, slurm_id))

    def _accepted(self, batch: str) -> str | None:
        for job in states.jobs_of(self._context.study_uid, self._listing()):
            if job.batch == batch:
                return job.id.partition("_")[0]
        return None

    def _listing(self) -> str:
        return commands.run(
            "squeue",
            "--noheader",
            "--array",
            "--states=all",
            f"--user={os.getuid()}",
            f"--name={self._context.study}",
            f"--format={states.FORMAT}",
        )

    def _cancel(self, slurm_ids: Iterable[str]) -> None:
        try:
            commands.run("scancel", *slurm_ids)
        except SlurmError as error:  # those that have ended; or Slurm is away, and is asked again
            _log.debug("%s", error)

    def _ask(self, known: frozenset[str]) -> None:
        try:
            listing = self._listing()
        except SlurmError as error:
            self.post(partial(self._unanswered, error))
            return
        jobs = list(states.jobs_of(self._context.study_uid, listing))
        self.post(partial(self._listed, jobs, known))

    def _explain(self, job_id: str, job: SlurmJob) -> None:
        """Ask for the exit code of a job that has failed without a word of its agent."""
        try:
            code = states.exit_code(commands.run("scontrol", "show", "job", "--oneliner", job.id))
        except SlurmError:  # it has forgotten the job meanwhile
            code = ""
        self.post(partial(self._conclude_as, job_id, job, states.verdict(job, code)))

    # -- what the thread says ---------------------------------------------------------------------

    def _submitted(self, job_ids: list[str], slurm_id: str) -> None:
        self._forget_warning(job_ids[0])
        for index, job_id in enumerate(job_ids):
            self._ids[job_id] = f"{slurm_id}_{index}" if len(job_ids) > 1 else slurm_id
            self.launched(job_id, self._ids[job_id])
        if doomed := [job_id for job_id in job_ids if self._doomed.pop(job_id, 0) is None]:
            self.kill(doomed)

    def _refused(self, job_ids: Iterable[str], reason: str) -> None:
        for job_id in job_ids:
            self.ended(job_id, Outcome.FAILED, f"Slurm refused it: {reason}")

    def _wait_for_slurm(self, reason: str, retry: commands.Task, batch: str) -> None:
        self._warn_once(
            f"submit {batch}", "Slurm takes no jobs now: %s; trying again every %g s", reason,
            self._interval,
        )  # fmt: skip
        self.later(("submit", batch), self._interval, lambda: self._slurm.do(retry))

    def _unanswered(self, error: SlurmError) -> None:
        self._is_asking = False
        self._warn_once("squeue", "%s; asking again every %g s", error, self._interval)
        self._ask_later(self._interval)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.wake()

    # -- what Slurm says of jobs ------------------------------------------------------------------

    def _ask_later(self, seconds: float) -> None:
        self.later("ask", seconds, self._ask_now)

    def _ask_now(self) -> None:
        """Ask once about all jobs, if there are any that Slurm alone knows about."""
        if self._is_asking or not self._silent():
            return
        self._is_asking = True
        self._slurm.do(partial(self._ask, frozenset(self._silent())))

    def _silent(self) -> list[str]:
        """Return the jobs that Slurm has, and that do not speak for themselves."""
        self._ids = {each: name for each, name in self._ids.items() if self.is_under_way(each)}
        return [each for each in self._ids if self.is_unsure(each) or not self.is_connected(each)]

    def _listed(self, jobs: Iterable[SlurmJob], known: frozenset[str]) -> None:
        self._is_asking = False
        self._forget_warning("squeue")
        listed = {self._batches.job_id(job.batch, job.index): job for job in jobs}
        for job_id in known:
            job = listed.get(job_id)
            if not self.is_under_way(job_id):
                continue
            if job is None:
                self._not_listed(job_id)
            else:
                self._missing.pop(job_id, None)
                self._judge(job_id, job)
        silent = self._silent()
        if silent:
            is_urgent = any(self.has_started(each) for each in silent) or self._doomed
            self._ask_later(min(SOON, self._interval) if is_urgent else self._interval)

    def _judge(self, job_id: str, job: SlurmJob) -> None:
        if self.read_spool(job_id) and not self.is_connected(job_id):
            self._warn_of_files(job.node)
        if not self.is_under_way(job_id):
            return
        if not job.is_active:
            if job.state == "FAILED":
                self._slurm.do(partial(self._explain, job_id, job))
            else:
                self._conclude_as(job_id, job, states.verdict(job))
        elif job.state in states.WAITING:
            if self.has_started(job_id):
                self._slurm.do(partial(self._cancel, [job.id]))
                self.ended(job_id, Outcome.LOST, "Slurm has put it back into the queue")
            elif job.reason in states.NEVER:
                self._warn_once(
                    job_id,
                    "job %s (Slurm job %s) waits until somebody acts: %s; see squeue, or end it "
                    "with scancel",
                    job_id, job.id, job.reason,
                )  # fmt: skip

    def _warn_of_files(self, node: str) -> None:
        endpoint = self.endpoint
        self._warn_once(
            "files",
            "jobs on %s do not reach this controller at %s, port %d; their reports are read from "
            "%s every %g s, and jobs do not wait for decisions; see host, port and reach in "
            "backend.options",
            node, " or ".join(endpoint.hosts), endpoint.port, self.shared_folder, self._interval,
        )  # fmt: skip

    def _conclude_as(self, job_id: str, job: SlurmJob, ended: Ended) -> None:
        """Say how a job has ended, once Slurm and its agent have."""
        is_plain = ended.outcome is Outcome.COMPLETED or (
            ended.outcome is Outcome.FAILED and ended.cause is not FailureCause.OUT_OF_MEMORY
        )
        if is_plain and self.is_unsure(job_id):
            self.confirmed(job_id)
            return
        reason = ended.reason
        outcome = ended.outcome
        if outcome is Outcome.COMPLETED:
            outcome, reason = Outcome.LOST, "its agent ended without a word"
        if is_plain and (said := self._last_words(job.id)):
            reason = f"{reason}: {said.splitlines()[-1][:200]}\n{said}"
        self.ended(job_id, outcome, reason, ended.cause)

    def _not_listed(self, job_id: str) -> None:
        """Slurm does not know a job any more: MinJobAge is over, or it has lost its state."""
        self.read_spool(job_id)
        if not self.is_under_way(job_id):
            return
        if self.is_unsure(job_id):
            self.confirmed(job_id)
            return
        self._missing[job_id] = self._missing.get(job_id, 0) + 1
        if self._missing[job_id] > 1:
            del self._missing[job_id]
            self.ended(job_id, Outcome.LOST, "Slurm does not know it any more")

    def _last_words(self, slurm_id: str) -> str:
        """Return the end of what the batch script itself has printed."""
        path = os.path.join(self.shared_folder, "slurm", f"{slurm_id}.out")
        try:
            with open(path, "rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""

    # -- the whole study --------------------------------------------------------------------------

    def _check(self) -> None:
        """Have Slurm check a job: a mistake in the options is an error before the first one.

        Raises:
            BackendError: If Slurm would refuse it.
        """
        arguments = script.arguments(self._context, self._options, self._options.minutes)
        text = script.text(self._options, ["/dev/null"], self._python)
        try:
            commands.run("sbatch", "--test-only", "--output=/dev/null", *arguments, text=text)
        except SlurmError as error:
            # What has no node now may have one later: jobs wait in the queue, or are refused there.
            if not error.passes and "node configuration is not available" not in str(error):
                raise BackendError(
                    f"Slurm refuses the jobs of this study: {error}; check backend.options, and "
                    "job.resources"
                ) from error

    def _arguments(self, order: JobOrder) -> list[str]:
        minutes = self._options.minutes
        limit = order.job.get("time_limit")
        if minutes is None and limit is not None:
            minutes = math.ceil((limit + order.job.get("grace", 0.0)) / 60) + 1
        return script.arguments(self._context, self._options, minutes)

    def _listed_now(self) -> list[SlurmJob]:
        try:
            return list(states.jobs_of(self._context.study_uid, self._listing()))
        except SlurmError as error:
            raise BackendError(
                f"Slurm cannot be asked which jobs of this study it has: {error}; wait until it "
                "answers, then resume: hpo resume"
            ) from error

    def _wait_for_the_end(self) -> None:
        """Wait until no job of this study is active.

        Raises:
            BackendError: If Slurm has not ended them in time.
        """
        until = time.monotonic() + self._kill_wait + 30.0
        pause = 0.2
        while left := [job.id for job in self._listed_now() if job.is_active]:
            if time.monotonic() > until:
                raise BackendError(
                    f"Slurm has not ended these jobs: {', '.join(left)}; see squeue, and end them "
                    "with scancel"
                )
            self._cancel(left)
            time.sleep(pause)
            pause = min(2 * pause, SOON)

    def _warn_once(self, about: str, message: str, *values: object) -> None:
        if about not in self._warned:
            self._warned.add(about)
            _log.warning(message, *values)

    def _forget_warning(self, about: str) -> None:
        self._warned -= {about, f"submit {about}"}
