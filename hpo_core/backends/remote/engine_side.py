"""What an author writes of a backend for an engine, and what that may call."""

from __future__ import annotations

import abc
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from hpo_core.backends.remote.agent_host import AgentHost
from hpo_core.backends.remote.job_files import JobFiles
from hpo_core.backends.remote.mailbox import Mailbox
from hpo_core.backends.remote.order import JobOrder
from hpo_core.contracts.backend import Finished, Outcome
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import Job


class EngineSide(AgentHost):
    """What a backend for an engine writes, and what it calls.

    Args:
        files: The files of the study's jobs.
        now: Returns the time.
        patience: Seconds after which a job that has lost its connection counts as lost.
        host: See `AgentHost`, like the following ones.
        port: See there.
        reach: See there.

    Raises:
        BackendError: If it cannot listen there.
    """

    def __init__(
        self,
        files: JobFiles,
        now: Callable[[], float],
        *,
        patience: float,
        host: str,
        port: int,
        reach: str,
    ) -> None:
        super().__init__(files, now, host=host, port=port, reach=reach)
        self._patience = patience
        self._mailbox = Mailbox(self._loop)

    # -- yours to write -------------------------------------------------------------------------

    @abc.abstractmethod
    def launch(self, orders: Sequence[JobOrder]) -> None:
        """Have the engine run orders: each by `run_order`, or by `agent_command` on its file.

        Call `launched` for each that the engine has taken, now or later, and `ended` for each that
        it refuses.
        """

    @abc.abstractmethod
    def kill(self, job_ids: Sequence[str]) -> None:
        """Have the engine end jobs that were launched, or take them out of its queue.

        It is called for jobs that have not started, and for those that did not end by themselves.
        `ended` follows. Does nothing for those that have ended.
        """

    def find(self, jobs: Sequence[Job]) -> Mapping[str, Any]:
        """Return which jobs of a dead controller run or are queued, each with its handle.

        End all others of this study. By default those run whose agent holds its spool.
        """
        return {job.id: job.handle for job in jobs if self._files.remote(job).lives()}

    def disconnected(self, job_id: str) -> None:
        """Handle a running job that has lost its connection. By default, give it time to return.

        An engine that knows what became of it can be asked instead.
        """
        self.later(
            ("lost", job_id),
            self._patience,
            lambda: self.ended(
                job_id,
                Outcome.LOST,
                f"its connection was lost, and did not come back in {self._patience:g} s",
            ),
        )

    def confirm(self, finished: Finished, signalled: bool) -> Finished | None:
        """Return how a job ended, given what its agent says. None: a call of `ended` says so.

        Args:
            finished: What its agent says.
            signalled: Whether its agent has ended it after a signal to terminate, that neither the
                study nor the job itself had sent, or after the agent's parent had ended.
        """
        if signalled and finished.outcome is not Outcome.COMPLETED:
            reason = "its machine or its worker has ended it"
            return Finished(finished.job_id, finished.time, Outcome.LOST, reason, ran=finished.ran)
        return finished

    def shut_down(self) -> None:
        """Wait until all jobs have ended, and release what is the engine's; `kill` was called."""

    # -- yours to call --------------------------------------------------------------------------

    def launched(self, job_id: str, handle: Any) -> None:
        """Set the handle with which the engine finds a job again: plain JSON."""
        job = self._jobs.get(job_id)
        if job is not None:
            job.handle = handle

    def ended(
        self,
        job_id: str,
        outcome: Outcome,
        reason: str = "",
        cause: FailureCause | None = None,
    ) -> None:
        """Say that a job has ended, or cannot be started, from the view of the engine.

        What its agent has said of its end takes precedence, except after `confirm` has returned
        None. Does nothing if the end is known.
        """
        self._jobs.ended(job_id, outcome, reason, cause)

    def confirmed(self, job_id: str) -> None:
        """Say that a job has ended as its agent says, after `confirm` has returned None."""
        self._jobs.confirmed(job_id)

    def post(self, call: Callable[[], object]) -> None:
        """Have the controller's thread call something soon. Safe in any thread."""
        self._mailbox.post(call)

    def later(self, name: Hashable, seconds: float, call: Callable[[], object]) -> None:
        """Call something once in a number of seconds; a name has one pending call, the earliest."""
        self._loop.later(name, seconds, call)

    def never(self, name: Hashable) -> None:
        """Cancel a call that `later` has scheduled."""
        self._loop.never(name)

    def is_under_way(self, job_id: str) -> bool:
        """Return whether a job was submitted or adopted, and its end is not known."""
        return self._jobs.get(job_id) is not None

    def is_connected(self, job_id: str) -> bool:
        """Return whether a job's agent is connected."""
        job = self._jobs.get(job_id)
        return job is not None and job.connection is not None

    def has_started(self, job_id: str) -> bool:
        """Return whether a job's process has started, as far as its agent has said so."""
        job = self._jobs.get(job_id)
        return job is not None and job.has_started

    def is_unsure(self, job_id: str) -> bool:
        """Return whether a job's agent has said how it ended, and `confirm` has returned None."""
        job = self._jobs.get(job_id)
        return job is not None and job.unsure is not None

    def read_spool(self, job_id: str) -> bool:
        """Handle what a job without a connection has written into its spool; return whether it did.

        Its records are handled like those that come over a connection.
        """
        return self._jobs.read_spool(job_id)

    def order_file(self, order: JobOrder) -> str:
        """Write an order into the shared folder, and return the file."""
        return self._files.write(order)

    @property
    def shared_folder(self) -> str:
        """The folder that jobs share with the controller; ``""`` if they share none."""
        return self._files.shared
