"""Submit jobs, and cancel them: which Slurm job each is, is known once sbatch has answered."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from functools import partial

from hpo_core.plugin import BackendContext, JobOrder, Outcome, RemoteBackend
from hpo_slurm import commands, script
from hpo_slurm.batches import Batches
from hpo_slurm.commands import CommandThread, SlurmError
from hpo_slurm.options import SlurmOptions
from hpo_slurm.slurm_queue import SlurmQueue
from hpo_slurm.warn_once import WarnOnce


class Submitter:
    """Submits the jobs of a study. It is called in the controller's thread.

    Args:
        backend: The backend, which is told what becomes of them.
        context: The study.
        options: The options.
        python: The Python of the nodes.
        most: Maximum number of jobs in an array.
        slurm: The thread of Slurm's commands.
        queue: The Slurm jobs of the study.
        batches: The batches of the study.
        warnings: What users were told.
    """

    def __init__(
        self,
        backend: RemoteBackend,
        context: BackendContext,
        options: SlurmOptions,
        *,
        python: str,
        most: int,
        slurm: CommandThread,
        queue: SlurmQueue,
        batches: Batches,
        warnings: WarnOnce,
    ) -> None:
        self._backend = backend
        self._context = context
        self._options = options
        self._python = python
        self._most = max(most, 1)
        self._slurm = slurm
        self._queue = queue
        self._batches = batches
        self._warnings = warnings
        self._ids: dict[str, str] = {}  # the Slurm job of each job, once it is known
        self._doomed: dict[str, None] = {}  # to be cancelled once it is known

    @property
    def known(self) -> list[str]:
        """The jobs that are under way and whose Slurm jobs are known."""
        under_way = self._backend.is_under_way
        self._ids = {each: name for each, name in self._ids.items() if under_way(each)}
        return list(self._ids)

    @property
    def has_doomed(self) -> bool:
        """Whether jobs are to be cancelled that are just being submitted."""
        return bool(self._doomed)

    def found(self, job_id: str, slurm_id: str) -> None:
        """Register the Slurm job of a job that an earlier controller has submitted."""
        self._ids[job_id] = slurm_id

    def submit(self, orders: Sequence[JobOrder]) -> None:
        """Submit jobs: one by itself, several as an array."""
        folder = self._backend.shared_folder
        os.makedirs(os.path.join(folder, "slurm"), mode=0o700, exist_ok=True)
        arguments = self._arguments(orders[0])
        for start in range(0, len(orders), self._most):
            some = orders[start : start + self._most]
            files = [self._backend.order_file(order) for order in some]
            job_ids = [order.job_id for order in some]
            batch = self._batches.write(job_ids)
            own = script.of_batch(self._context, batch, len(some), folder)
            text = script.text(self._options, files, self._python)
            self._slurm.do(partial(self._submit, batch, job_ids, [*arguments, *own], text))

    def cancel(self, job_ids: Sequence[str]) -> None:
        """Cancel Slurm jobs; those that are just being submitted are cancelled afterwards."""
        known = [self._ids[job_id] for job_id in job_ids if job_id in self._ids]
        self._doomed.update((job_id, None) for job_id in job_ids if job_id not in self._ids)
        if known:
            self._slurm.do(partial(self._queue.cancel, known))

    def _arguments(self, order: JobOrder) -> list[str]:
        minutes = self._options.minutes
        limit = order.job.get("time_limit")
        if minutes is None and limit is not None:
            minutes = math.ceil((limit + order.job.get("grace", 0.0)) / 60) + 1
        return script.arguments(self._context, self._options, minutes)

    # -- in the thread of commands ----------------------------------------------------------------

    def _submit(
        self, batch: str, job_ids: list[str], arguments: list[str], text: str, again: bool = False
    ) -> None:
        """Submit a batch, unless an attempt whose answer was lost has done so."""
        try:
            first = self._queue.accepted(batch) if again else None
            if first is None:
                first = commands.run("sbatch", "--parsable", *arguments, text=text)
        except SlurmError as error:
            if error.passes:
                retry = partial(self._submit, batch, job_ids, arguments, text, True)
                self._backend.post(partial(self._wait_for_slurm, f"{error}", retry, batch))
            else:
                self._backend.post(partial(self._refused, job_ids, str(error)))
        else:
            slurm_id = first.strip().partition(";")[0]
            self._backend.post(partial(self._submitted, batch, job_ids, slurm_id))

    # -- what the thread says ---------------------------------------------------------------------

    def _submitted(self, batch: str, job_ids: list[str], slurm_id: str) -> None:
        self._warnings.forget(_warning(batch))
        for index, job_id in enumerate(job_ids):
            self._ids[job_id] = f"{slurm_id}_{index}" if len(job_ids) > 1 else slurm_id
            self._backend.launched(job_id, self._ids[job_id])
        if doomed := [job_id for job_id in job_ids if self._doomed.pop(job_id, 0) is None]:
            self._backend.kill(doomed)

    def _refused(self, job_ids: Iterable[str], reason: str) -> None:
        for job_id in job_ids:
            self._backend.ended(job_id, Outcome.FAILED, f"Slurm refused it: {reason}")

    def _wait_for_slurm(self, reason: str, retry: commands.Task, batch: str) -> None:
        interval = self._options.asks_every
        self._warnings.warn(
            _warning(batch),
            "Slurm takes no jobs now: %s; trying again every %g s", reason, interval,
        )  # fmt: skip
        self._backend.later(("submit", batch), interval, lambda: self._slurm.do(retry))


def _warning(batch: str) -> str:
    return f"submit {batch}"
