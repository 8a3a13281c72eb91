"""The jobs that are under way: what their agents and the engine say of them becomes events."""

from __future__ import annotations

from collections.abc import Callable

from hpo_core.backends.remote.records import JobBegan, JobEnded, JobSaid, Record, as_finished
from hpo_core.backends.remote.remote_job import RemoteJob
from hpo_core.backends.remote.wire import SignedConnection
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.contracts.backend import Finished, JobEvent, Outcome, Reported, Started
from hpo_core.model.failure import FailureCause

_LAST_WORDS = 10.0
"""Seconds in which an agent whose job has ended has closed its connection."""


class RemoteJobs:
    """The jobs that an engine was given, or is about to be given, and have not ended.

    Args:
        loop: Takes the events.
        now: Returns the time.
        confirm: See `RemoteBackend.confirm`.
        drop: Closes the connection of an agent.
        on_end: Called with a job and its end, when the job is no more under way.
    """

    def __init__(
        self,
        loop: Loop[JobEvent],
        now: Callable[[], float],
        *,
        confirm: Callable[[Finished, bool], Finished | None],
        drop: Callable[[SignedConnection], None],
        on_end: Callable[[RemoteJob, Finished], None],
    ) -> None:
        self._loop = loop
        self._now = now
        self._confirm = confirm
        self._drop = drop
        self._on_end = on_end
        self._jobs: dict[str, RemoteJob] = {}
        self._parting: list[RemoteJob] = []  # whose end is about to be recorded

    def add(self, job: RemoteJob) -> None:
        """Add a job that was submitted or adopted."""
        self._jobs[job.id] = job

    def get(self, job_id: str | None) -> RemoteJob | None:
        """Return a job that is under way; None if it is not."""
        return self._jobs.get(job_id or "")

    def connect(self, job_id: str, connection: SignedConnection) -> None:
        """Let a job be heard over a connection on which nothing of it was said yet."""
        self._jobs[job_id].connection = connection

    def launched(self) -> list[str]:
        """Return the jobs that the engine was given."""
        return [job_id for job_id, job in self._jobs.items() if job.is_launched]

    # -- answers to agents ----------------------------------------------------------------------

    def answer(self) -> None:
        """Tell all agents that what they have said is recorded."""
        for job in self._jobs.values():
            job.answer()
        self.answer_parting()
        self._parting.clear()

    def answer_parting(self) -> None:
        """Tell the agents of ended jobs that their end is handled, so that they end, too."""
        for job in self._parting:
            job.answer()

    # -- what agents say ------------------------------------------------------------------------

    def handle(self, job: RemoteJob, record: Record) -> None:
        """Handle a record of a job."""
        now = self._now()
        time = now if job.connection is not None else min(record.time, now)
        match record:
            case JobBegan(_, host, pid):
                job.has_started = True
                handle = job.handle if job.handle is not None else {"host": host, "pid": pid}
                self._loop.emit(Started(job.id, time, handle))
            case JobSaid(_, iteration, metrics):
                self._loop.emit(Reported(job.id, time, iteration, metrics))
            case JobEnded():
                self._handle_end(job, record, time)

    def _handle_end(self, job: RemoteJob, record: JobEnded, time: float) -> None:
        told = as_finished(job.id, record, time)
        if job.cancelled and record.signalled:
            told = Finished(job.id, time, Outcome.CANCELLED, ran=record.ran)
        finished = self._confirm(told, record.signalled and not job.cancelled)
        if finished is not None:
            self.finish(job, finished)
        else:
            job.unsure = told
            job.answer()  # so that the agent ends, and the engine says how

    def read_spool(self, job_id: str) -> bool:
        """See `RemoteBackend.read_spool`."""
        job = self.get(job_id)
        if job is None or job.connection is not None:
            return False
        try:
            new = job.spooled()
        except (OSError, ValueError) as error:
            reason = f"the job's records are damaged: {error}"
            self.finish(job, Finished(job.id, self._now(), Outcome.FAILED, reason))
            return True
        for record in new:
            self.handle(job, record)
        return bool(new)

    # -- what the engine says -------------------------------------------------------------------

    def ended(
        self, job_id: str, outcome: Outcome, reason: str = "", cause: FailureCause | None = None
    ) -> None:
        """See `RemoteBackend.ended`."""
        job = self.get(job_id)
        if job is None:
            return
        told = Finished(job_id, self._now(), outcome, reason, cause=cause)
        if job.end is not None and job.have:  # `confirm` waits for this
            told = Finished(job_id, told.time, outcome, reason, job.end.metrics, job.end.ran, cause)
            self.finish(job, told)
            return
        job.end = told
        if job.connection is None:
            self.conclude(job)
        else:
            self._loop.later(("last words", job_id), _LAST_WORDS, lambda: self.conclude(job))

    def confirmed(self, job_id: str) -> None:
        """See `RemoteBackend.confirmed`."""
        job = self.get(job_id)
        if job is not None and job.unsure is not None:
            self.finish(job, job.unsure)

    def conclude(self, job: RemoteJob) -> None:
        """The engine says that a job has ended: read what it has left, then believe the engine."""
        if self.get(job.id) is None:
            return
        end = job.end
        if job.connection is not None:
            self._drop(job.connection)
            job.connection = None
        self.read_spool(job.id)
        if self.get(job.id) is not None and end is not None:
            if job.cancelled:
                end = Finished(job.id, end.time, Outcome.CANCELLED)
            self.finish(job, end)

    def finish(self, job: RemoteJob, finished: Finished) -> None:
        """Register the end of a job."""
        del self._jobs[job.id]
        for name in ("lost", "kill", "last words"):
            self._loop.never((name, job.id))
        if job.connection is not None:
            if finished.outcome is Outcome.LOST:  # whatever still runs there must end
                job.connection.send("gone")
            else:
                self._parting.append(job)
        self._on_end(job, finished)
        self._loop.emit(finished)
