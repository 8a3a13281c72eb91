"""Agents connect here: what they say is passed on to the jobs that they run."""

from __future__ import annotations

import abc
import logging
from collections.abc import Callable
from typing import Any

from hpo_core.backends.remote.channel import ReportChannel
from hpo_core.backends.remote.endpoint import Endpoint, new_key
from hpo_core.backends.remote.job_files import JobFiles
from hpo_core.backends.remote.remote_job import RemoteJob
from hpo_core.backends.remote.remote_jobs import RemoteJobs
from hpo_core.backends.remote.wire import SignedConnection
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.contracts.backend import Finished, JobEvent
from hpo_core.model.errors import BackendError

_log = logging.getLogger("hpo_core")


class AgentHost(abc.ABC):
    """Listens for the agents of a study's jobs.

    Args:
        files: The files of the study's jobs.
        now: Returns the time.
        host: The address to listen at; ``""`` for every address.
        port: The port to listen at; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` at which jobs reach it, if that is another.

    Raises:
        BackendError: If it cannot listen there.
    """

    def __init__(
        self, files: JobFiles, now: Callable[[], float], *, host: str, port: int, reach: str
    ) -> None:
        self._files = files
        self._now = now
        self._early: dict[str, SignedConnection] = {}  # of an earlier controller's jobs
        self._is_settled = False  # whether it is known which jobs there are
        self._loop: Loop[JobEvent] = Loop()
        try:
            self._channel = self._listen(host, port, reach)
        except BaseException:
            self._loop.close()
            raise
        self._jobs = RemoteJobs(
            self._loop,
            now,
            confirm=self.confirm,
            drop=self._channel.drop,
            on_end=self._job_over,
        )

    @abc.abstractmethod
    def confirm(self, finished: Finished, signalled: bool) -> Finished | None:
        """Return how a job ended, given what its agent says."""

    @abc.abstractmethod
    def disconnected(self, job_id: str) -> None:
        """Handle a running job that has lost its connection."""

    @abc.abstractmethod
    def _job_over(self, job: RemoteJob, finished: Finished) -> None:
        """Release what a job had that has ended."""

    @property
    def port(self) -> int:
        """The port at which the controller listens for the reports of jobs."""
        return self._channel.port

    @property
    def endpoint(self) -> Endpoint:
        """How jobs reach the controller."""
        return self._channel.endpoint

    def _listen(self, host: str, port: int, reach: str) -> ReportChannel:
        before = self._files.earlier_endpoint()
        key = new_key() if before is None else before.key

        def listen(at: int) -> ReportChannel:
            return ReportChannel(
                self._loop,
                key,
                host=host,
                port=at,
                reach=reach,
                on_open=self._opened,
                on_message=self._hear,
                on_close=self._closed,
            )

        try:  # where jobs of an earlier controller look for it
            channel = listen(port or (0 if before is None else before.port))
        except BackendError:
            if port:
                raise
            channel = listen(0)
        if self._files.folder:
            try:
                channel.endpoint.write(self._files.endpoint)
            except BaseException:
                channel.close()
                raise
        return channel

    def _settle(self) -> None:
        """Answer the agents that have connected before it was known which jobs there are."""
        if not self._is_settled:
            self._is_settled = True
            early, self._early = self._early, {}
            for connection in early.values():
                if connection.is_open:
                    self._opened(connection)

    def _opened(self, connection: SignedConnection) -> None:
        job = self._jobs.get(connection.job_id)
        if not self._is_settled:
            self._early[connection.job_id] = connection
        elif job is None:
            connection.send("gone")
        else:
            if job.connection is not None:
                self._channel.drop(job.connection)
            self._loop.never(("lost", job.id))
            job.connected(connection)

    def _hear(self, connection: SignedConnection, message: list[Any]) -> None:
        job = self._jobs.get(connection.job_id)
        if job is None or job.connection is not connection:
            return
        try:
            match message:
                case ["record", int(index), content]:
                    record = job.received(index, content)
                    if record is not None:
                        self._jobs.handle(job, record)
        except ValueError as error:
            _log.warning("the agent of job %s is not understood: %s", job.id, error)
            self._channel.drop(connection)
            self._closed(connection)

    def _closed(self, connection: SignedConnection) -> None:
        job = self._jobs.get(connection.job_id)
        if job is None or job.connection is not connection:
            return
        job.connection = None
        if job.end is not None:
            self._jobs.conclude(job)
        elif job.unsure is None:
            self.disconnected(job.id)
