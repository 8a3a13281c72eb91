"""WorkerPool: a remote backend whose engine starts workers, which run one job after the other."""

from __future__ import annotations

import abc
import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from hpo_core.backends.remote.backend import RemoteBackend
from hpo_core.backends.remote.order import JobOrder
from hpo_core.backends.remote.remote_job import RemoteJob
from hpo_core.backends.remote.wire import SignedConnection
from hpo_core.backends.remote.worker import WorkerOrder
from hpo_core.backends.remote.worker_numbers import WorkerNumbers
from hpo_core.contracts.backend import BackendContext, Finished, Outcome
from hpo_core.model.errors import BackendError
from hpo_core.model.job import Job
from hpo_core.model.values import Configuration

_FIRST_RETRY, _LAST_RETRY = 1.0, 60.0
"""Seconds until another worker is started after one that failed to; each time twice as many."""

_log = logging.getLogger("hpo_core")


class _Worker:
    """A worker that the engine was asked for.

    Attributes:
        connection: The connection to it, if there is one.
        has_joined: Whether it was connected.
        is_last: Whether it runs no further job.
        job_id: The job that it runs; None if it waits for one.
    """

    def __init__(self, *, is_last: bool = False, job_id: str | None = None) -> None:
        self.connection: SignedConnection | None = None
        self.has_joined = False
        self.is_last = is_last
        self.job_id = job_id


class WorkerPool(RemoteBackend):
    """Runs jobs on workers that an engine starts: inherit it and say how.

    A worker runs one job at a time, in processes that are reused, and keeps its number. There are
    at most as many as jobs may run at once, and only as many as were needed. Implement
    `start_workers`, `end_workers` and `find_workers`, and call `worker_ended`.

    Args:
        context: The study.
        host: The address to listen at for the reports of jobs; ``""`` for every address.
        port: The port to listen at; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` at which workers reach the controller, if that is
            another.
        patience: Seconds in which a worker should connect, after its start and after its connection
            was lost. So long workers wait for a new controller.
        idle: Seconds after which a worker without a job is ended.
        lock: A file of this machine that workers lock while they live; ``""`` for none.

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
        patience: float = 30.0,
        idle: float = 60.0,
        lock: str = "",
    ) -> None:
        super().__init__(
            context, host=host, port=port, reach=reach, shares_folder=False, patience=patience
        )
        self._most = context.workers
        self._idle = idle
        self._lock = lock
        self._queue: dict[str, JobOrder] = {}
        self._workers: dict[str, _Worker] = {}
        self._worker_of: dict[str, str] = {}  # the worker of each job that was sent to one
        self._worker_numbers = WorkerNumbers()
        self._free: dict[str, None] = {}  # workers that can be sent a job
        self._freed: list[str] = []  # those that can, once the end of their job is recorded
        self._names: dict[SignedConnection, str] = {}
        self._early_joins: list[tuple[SignedConnection, str | None, dict[str, Any]]] = []
        self._delay = _FIRST_RETRY
        self._is_delayed = self._has_joined = self._has_warned = False
        self._trouble: BackendError | None = None

    # -- yours to write -------------------------------------------------------------------------

    @abc.abstractmethod
    def start_workers(self, names: Sequence[str]) -> None:
        """Have the engine run `RunningWorker` on `worker_order` of each name, somewhere.

        Call `worker_ended` for each that has ended, or cannot be started.
        """

    @abc.abstractmethod
    def end_workers(self, names: Sequence[str]) -> None:
        """Have the engine end workers immediately, or take them out of its queue.

        `worker_ended` follows, once no process of them is left. Does nothing for unknown ones.
        """

    @abc.abstractmethod
    def find_workers(self, keep: Collection[str]) -> Collection[str]:
        """Return the workers of an earlier controller that live, of those to keep; end all others.

        Return when no process of the others is left.
        """

    # -- yours to call --------------------------------------------------------------------------

    def worker_order(self, name: str) -> str:
        """Return the order of a worker, for `RunningWorker`."""
        no_job = Job(id="", trial_id=0, name="", configuration=Configuration({}))
        order = self._book.order(
            no_job,
            endpoint=self.endpoint,
            patience=self._patience,
            worker=self._worker_numbers.take(name),
        )
        text = WorkerOrder(name=name, order=order, folder=self._files.folder, lock=self._lock)
        return msgspec.json.encode(text).decode()

    def worker_ended(self, name: str, reason: str) -> None:
        """Say that a worker has ended: nothing of it is left. `reason` is ``""`` if it should."""
        worker = self._workers.pop(name, None)
        if worker is None:
            return
        self._free.pop(name, None)
        self._worker_numbers.give_back(name)
        for timer in ("idle", "absent"):
            self.never((timer, name))
        if worker.job_id is not None:
            self.ended(worker.job_id, Outcome.LOST, reason or "its worker has ended")
        elif not worker.has_joined and reason:
            self._did_not_come_up(reason)
        self._fill()

    def fail(self, error: BackendError) -> None:
        """End the study with an error, at the next call of `events`; start no more workers."""
        self._trouble = self._trouble or error  # what follows from the first is not the reason
        self.wake()

    @property
    def worker_names(self) -> list[str]:
        """The workers that have not ended."""
        return list(self._workers)

    # -- of RemoteBackend -----------------------------------------------------------------------

    def events(self, timeout: float | None) -> Sequence[Any]:
        """Wait for events.

        Raises:
            BackendError: If the engine is gone, or no worker can be started.
        """
        found = super().events(timeout)
        if self._trouble is not None:
            raise self._trouble
        return found

    def launch(self, orders: Sequence[JobOrder]) -> None:
        """Put orders into the queue of the workers."""
        self._queue.update((order.job_id, order) for order in orders)

    def kill(self, job_ids: Sequence[str]) -> None:
        """Take jobs out of the queue, or end their workers."""
        doomed = []
        for job_id in job_ids:
            name = self._worker_of.get(job_id)
            if name is not None:
                doomed.append(name)
            else:
                self._queue.pop(job_id, None)
                self.ended(job_id, Outcome.CANCELLED)
        if doomed:
            self.end_workers(doomed)

    def find(self, jobs: Sequence[Job]) -> Mapping[str, Any]:
        """Return the jobs whose workers live."""
        handles = {job.id: job.handle for job in jobs if isinstance(job.handle, dict)}
        job_at = {str(handle.get("worker")): job_id for job_id, handle in handles.items()}
        found = {}
        for name in self.find_workers(list(job_at)):
            job_id = job_at[name]
            self._workers[name] = _Worker(is_last=True, job_id=job_id)
            self._worker_of[job_id] = name
            self._worker_numbers.hold(name, handles[job_id].get("number", 0))
            self._expect(name)
            found[job_id] = handles[job_id]
        return found

    def disconnected(self, job_id: str) -> None:
        """Do nothing: its worker has time to connect again."""

    def shut_down(self) -> None:
        """End all workers, and wait until nothing of them is left."""
        self._queue.clear()
        self.end_workers(list(self._workers))
        self._wait_until(lambda: not self._workers)

    # -- workers --------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        super()._carry_out()
        freed, self._freed = self._freed, []
        for name in freed:
            self._set_free(name)
        self._fill()

    def _set_free(self, name: str) -> None:
        worker = self._workers.get(name)
        if worker is None or worker.connection is None or worker.job_id is not None:
            return
        if worker.is_last:
            self._retire(name)
        else:
            self._free[name] = None
            self.later(("idle", name), self._idle, lambda: self._retire(name))

    def _retire(self, name: str) -> None:
        if name in self._workers:
            self._free.pop(name, None)
            self._workers[name].is_last = True
            self.end_workers([name])

    def _expect(self, name: str) -> None:
        """End a worker that does not connect in time."""

        def give_up() -> None:
            worker = self._workers.get(name)
            if worker is not None and worker.job_id is not None:
                time = f"{self._patience:g} s"
                reason = f"the connection to its worker was lost, and did not come back in {time}"
                self.ended(worker.job_id, Outcome.LOST, reason)
            self._retire(name)

        self.later(("absent", name), self._patience, give_up)

    def _fill(self) -> None:
        """Send jobs that wait to free workers, and start workers for the rest."""
        while self._queue and self._free:
            name = next(iter(self._free))
            del self._free[name]
            self._send(name, next(iter(self._queue)))
        if not self._queue or self._is_delayed or self._trouble is not None:
            return
        coming = sum(not worker.has_joined for worker in self._workers.values())
        number = min(len(self._queue) - coming, self._most - len(self._workers))
        if number > 0:
            names = [f"worker-{uuid.uuid4().hex[:12]}" for _ in range(number)]
            self._workers.update((name, _Worker()) for name in names)
            self.start_workers(names)

    def _send(self, name: str, job_id: str) -> None:
        worker, order = self._workers[name], self._queue.pop(job_id)
        assert worker.connection is not None
        self.never(("idle", name))
        worker.job_id = worker.connection.job_id = job_id
        self._worker_of[job_id] = name
        number = self._worker_numbers.take(name)
        self.launched(job_id, {"worker": name, "number": number})
        self._jobs.connect(job_id, worker.connection)
        worker.connection.send("run", order.job)

    def _did_not_come_up(self, reason: str) -> None:
        if not self._has_joined:
            self.fail(BackendError(f"no worker can be started: {reason}"))
            return
        _log.warning("a worker could not be started: %s; trying again in %g s", reason, self._delay)
        self._is_delayed = True
        self.later("start again", self._delay, self._start_again)
        self._delay = min(2 * self._delay, _LAST_RETRY)

    def _start_again(self) -> None:
        self._is_delayed = False
        self._fill()

    def _job_over(self, job: RemoteJob, finished: Finished) -> None:
        super()._job_over(job, finished)
        self._queue.pop(job.id, None)
        name = self._worker_of.pop(job.id, "")
        worker = self._workers.get(name)
        if worker is not None:
            worker.job_id = None
            if finished.outcome is Outcome.LOST:
                self._retire(name)
            else:
                self._freed.append(name)

    # -- connections ----------------------------------------------------------------------------

    def _settle(self) -> None:
        super()._settle()
        joins, self._early_joins = self._early_joins, []
        for connection, job_id, about in joins:
            if connection.is_open:
                self._joined(connection, job_id, about)

    def _opened(self, connection: SignedConnection) -> None:
        self._names[connection] = connection.job_id  # it says next which job it runs

    def _hear(self, connection: SignedConnection, message: list[Any]) -> None:
        match message:
            case ["worker", str() | None as job_id, dict(about)]:
                if self._is_settled:
                    self._joined(connection, job_id, about)
                else:
                    self._early_joins.append((connection, job_id, about))
            case _:
                super()._hear(connection, message)

    def _joined(
        self, connection: SignedConnection, job_id: str | None, about: dict[str, Any]
    ) -> None:
        """Handle a worker that has connected, or has done so again."""
        name = self._names[connection]
        worker = self._workers.get(name)
        if worker is None:
            connection.send("gone")
            return
        if worker.connection is not None:
            self._names.pop(worker.connection, None)
            self._channel.drop(worker.connection)
        worker.connection = connection
        worker.has_joined = self._has_joined = True
        self._delay = _FIRST_RETRY
        self.never(("absent", name))
        self._warn_of_folder(about)
        job = self._jobs.get(worker.job_id)
        if job is not None and job_id == job.id:
            connection.job_id = job.id
            super()._opened(connection)
        elif job_id is not None or (job is not None and (job.have or worker.is_last)):
            connection.send("gone")  # the two disagree
        elif job is not None:  # the connection was lost before it was told
            connection.job_id, job.connection = job.id, connection
            connection.send("run", self._order(job).job)
            if job.cancelled:
                connection.send("cancel", job.grace)
        else:
            self._set_free(name)
            self._fill()

    def _closed(self, connection: SignedConnection) -> None:
        name = self._names.pop(connection, "")
        worker = self._workers.get(name)
        if worker is not None and worker.connection is connection:
            worker.connection = None
            self._free.pop(name, None)
            self._expect(name)
        super()._closed(connection)

    def _warn_of_folder(self, about: dict[str, Any]) -> None:
        if self._files.folder and not about.get("sees_folder") and not self._has_warned:
            self._has_warned = True
            _log.warning(
                "the worker on %s does not share the study's folder %s: logs and checkpoints of "
                "its jobs stay on that machine, and a trial that goes on elsewhere does not find "
                "its checkpoint; store the study in a folder that all machines share",
                about.get("host"),
                self._files.folder,
            )
