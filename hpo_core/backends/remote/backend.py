"""RemoteBackend: a backend for everything but the engine that starts jobs elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence

from hpo_core.backends.remote.engine_side import EngineSide
from hpo_core.backends.remote.job_files import JobFiles
from hpo_core.backends.remote.order import JobOrder, OrderBook
from hpo_core.backends.remote.remote_job import RemoteJob
from hpo_core.backends.remote.worker_numbers import WorkerNumbers
from hpo_core.contracts.backend import BackendContext, Finished, JobEvent, Outcome
from hpo_core.model.errors import BackendError
from hpo_core.model.job import Job

_LAST_WORDS = 10.0
"""Seconds in which an agent whose job has ended has closed its connection."""

_CLOSES_IN = 15.0
"""Maximum time in seconds for jobs to end after `RemoteBackend.close`."""


class RemoteBackend(EngineSide):
    """Runs jobs as agents that an engine starts: inherit it and say how.

    Implement `launch` and `kill`. Where the engine says what becomes of a job, call `ended`; what
    other threads say goes through `post`. Jobs report, are decided on, cancelled, adopted and
    counted as lost without more. Everything here is called from the controller's thread.

    Args:
        context: The study.
        host: The address to listen at for the reports of jobs; ``""`` for every address.
        port: The port to listen at; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` at which jobs reach the controller, if that is another.
        shares_folder: Whether jobs can read and write `BackendContext.folder`: then they outlive
            their controller.
        patience: Seconds after which a job that has lost its connection counts as lost.

    Raises:
        BackendError: If there is nothing to run, or it cannot listen there.
    """

    def __init__(
        self,
        context: BackendContext,
        *,
        host: str = "",
        port: int = 0,
        reach: str = "",
        shares_folder: bool = True,
        patience: float = 30.0,
    ) -> None:
        self._book = OrderBook(context)
        self._numbers = WorkerNumbers()
        files = JobFiles(context.folder, is_shared=shares_folder)
        super().__init__(
            files, context.clock.now, patience=patience, host=host, port=port, reach=reach
        )
        self._new: dict[str, RemoteJob] = {}
        self._to_kill: dict[str, None] = {}
        self._is_closed = False

    def submit(self, job: Job) -> None:
        self._settle()
        self._new[job.id] = remote = self._files.remote(job)
        self._jobs.add(remote)

    def cancel(self, job_id: str, *, grace: float) -> None:
        job = self._jobs.get(job_id)
        if job is None:
            return
        is_again = job.cancelled
        job.cancelled, job.grace = True, min(grace, job.grace) if is_again else grace
        if self._new.pop(job_id, None) is not None:
            self._jobs.finish(job, Finished(job_id, self._now(), Outcome.CANCELLED))
        elif job.connection is not None:
            job.connection.send("cancel", grace)
            self._kill_later(job_id, grace + _LAST_WORDS)
        elif job.has_started:
            self._kill_later(job_id, grace)
        else:
            self._to_kill[job_id] = None

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        if self._is_closed:
            raise BackendError("the backend is closed")
        self._settle()
        self._jobs.answer()
        self._carry_out()
        return self._loop.run(timeout)

    def wake(self) -> None:
        if not self._is_closed:
            self._loop.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take over the jobs of a dead controller that run or have ended with a known result."""
        found = self.find(jobs)
        adopted: list[str] = []
        for job in jobs:
            remote = self._files.remote(job)
            remote.is_launched = True
            if job.id in found or remote.has_ended_in_spool():
                remote.handle = found.get(job.id, job.handle)
                self._numbers.hold(job.id, self._files.ordered_worker(job.id))
                self._jobs.add(remote)
                adopted.append(job.id)
            else:
                self._files.withdraw(job.id)
        self._settle()
        for job_id in adopted:
            self.read_spool(job_id)
        return adopted

    def close(self) -> None:
        """End all jobs immediately, and wait until none of their processes is left."""
        if self._is_closed:
            return
        launched = self._jobs.launched()
        for job_id in launched:
            self.cancel(job_id, grace=0.0)
        self._jobs.answer_parting()
        try:
            self._wait_until(lambda: not any(self.is_connected(each) for each in launched), 3.0)
            self.kill([each for each in launched if self.is_under_way(each)])
            self._wait_until(lambda: not any(self.is_connected(each) for each in launched))
            self.shut_down()
        finally:
            self._is_closed = True
            self._channel.close()
            self._mailbox.close()
            self._loop.close()
            if self._files.folder:
                shutil.rmtree(self._files.folder, ignore_errors=True)

    # -- orders ---------------------------------------------------------------------------------

    def _order(self, job: RemoteJob) -> JobOrder:
        files = self._files
        shared = bool(files.shared)
        return self._book.order(
            job.job,
            spool=files.spool(job.id),
            endpoint=None if shared else self._channel.endpoint,
            endpoint_file=files.endpoint if shared else "",
            outlives=shared,
            patience=self._patience,
            worker=self._numbers.take(job.id),
        )

    def _carry_out(self) -> None:
        """Launch and kill jobs, all those of a turn at once."""
        if self._new:
            new, self._new = list(self._new.values()), {}
            for job in new:
                job.is_launched = True
            self.launch([self._order(job) for job in new])
        if self._to_kill:
            doomed, self._to_kill = [each for each in self._to_kill if self.is_under_way(each)], {}
            if doomed:
                self.kill(doomed)

    def _kill_later(self, job_id: str, seconds: float) -> None:
        def kill() -> None:
            if self.is_under_way(job_id):
                self.kill([job_id])

        self.later(("kill", job_id), seconds, kill)

    def _job_over(self, job: RemoteJob, finished: Finished) -> None:
        self._new.pop(job.id, None)
        self._to_kill.pop(job.id, None)
        self._files.withdraw(job.id)
        self._numbers.give_back(job.id)

    def _wait_until(self, is_so: Callable[[], bool], at_most: float = _CLOSES_IN) -> None:
        until = time.monotonic() + at_most
        while not is_so() and (left := until - time.monotonic()) > 0:
            self._loop.run(min(left, 0.2))
            self._jobs.answer_parting()
