"""The running jobs of a study: what their supervisors say becomes events."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable

from hpo_core.backends.local import orphans
from hpo_core.backends.local.job_output import OutputParser, Report
from hpo_core.backends.local.oom import OutOfMemoryKills
from hpo_core.backends.local.supervisor_client import SupervisorClient
from hpo_core.backends.logs import remove_if_empty
from hpo_core.contracts.backend import Finished, JobEvent, Outcome, Reported, Started
from hpo_core.model.failure import SIGNALLED, FailureCause
from hpo_core.model.job import Job

_KILLS = (-signal.SIGKILL, SIGNALLED + signal.SIGKILL)
"""The exit statuses of a process that was killed, and of a shell whose command was."""


class RunningJobs:
    """Has the running jobs with their supervisors, and makes events of their messages.

    Args:
        study_uid: The study's uid.
        emit: Called with each event.
        now: Returns the time by the controller's clock.
        on_end: Called with the id of each job that no longer runs.
    """

    def __init__(
        self,
        study_uid: str,
        emit: Callable[[JobEvent], None],
        now: Callable[[], float],
        on_end: Callable[[str], None],
    ) -> None:
        self._study_uid = study_uid
        self._emit = emit
        self._now = now
        self._on_end = on_end
        self._jobs: dict[str, tuple[SupervisorClient | None, OutputParser]] = {}
        self._heard: dict[SupervisorClient, dict[str, tuple[int, int]]] = {}
        self._ended: dict[SupervisorClient, list[str]] = {}
        self._out_of_memory = OutOfMemoryKills()

    def add(self, supervisor: SupervisorClient | None, output: OutputParser) -> None:
        """Register a job by the parser of its output; without a supervisor if that has ended."""
        self._jobs[output.job.id] = (supervisor, output)

    def __len__(self) -> int:
        return len(self._jobs)

    def job(self, job_id: str) -> Job:
        """Return a job."""
        return self._jobs[job_id][1].job

    def cancel(self, job_id: str, grace: float) -> None:
        """Ask the supervisor of a job to end it, unless it has ended."""
        supervisor, output = self._jobs.get(job_id, (None, None))
        if supervisor is not None and output is not None:
            output.cancelled = not output.fault
            supervisor.put("cancel", job_id, grace)
            supervisor.flush()

    # -- what is recorded -----------------------------------------------------------------------

    def confirm(self, supervisor: SupervisorClient) -> None:
        """Tell a supervisor what is recorded: all events of its jobs so far."""
        heard, ended = self._heard.pop(supervisor, {}), self._ended.pop(supervisor, [])
        if heard or ended:
            supervisor.put("recorded", heard, ended)
        supervisor.flush()

    def confirm_ends(self, supervisor: SupervisorClient) -> None:
        """Tell a supervisor which ends are recorded, with the next message to it."""
        if ended := self._ended.pop(supervisor, None):
            supervisor.put("recorded", {}, ended)

    # -- messages of supervisors ----------------------------------------------------------------

    def on_started(self, _: SupervisorClient, job_id: str, pid: int, time: float) -> None:
        """Handle the start of a job's process."""
        self._emit(Started(job_id, time, handle=pid))

    def on_data(
        self, supervisor: SupervisorClient | None, job_id: str, time: float, text: str
    ) -> None:
        """Handle output of a job; end a job whose output is malformed."""
        _, output = self._jobs.get(job_id, (None, None))
        if output is None:
            return
        was_faulty = bool(output.fault)
        self._report(job_id, min(time, self._now()), output.feed(text.encode("latin-1")))
        if supervisor is None:
            return
        if output.fault and not was_faulty:
            supervisor.put("cancel", job_id, output.grace_for_faults)
            supervisor.flush()
        self._heard.setdefault(supervisor, {})[job_id] = (output.count, output.reports)

    def on_ended(
        self,
        supervisor: SupervisorClient | None,
        job_id: str,
        time: float,
        ran: float,
        status: int | None,
        cause: str,
    ) -> None:
        """Handle the end of a job's processes."""
        _, output = self._jobs.get(job_id, (None, None))
        if supervisor is not None:
            self._heard.get(supervisor, {}).pop(job_id, None)
            self._ended.setdefault(supervisor, []).append(job_id)
        if output is None:
            self._on_end(job_id)
            return
        time = min(time, self._now())
        self._report(job_id, time, output.rest())
        if sys.platform != "linux":  # elsewhere orphans are not inherited
            orphans.end_job(self._study_uid, job_id)
        verdict = output.verdict(status, cause)
        why = verdict.cause
        if why is FailureCause.KILLED and status in _KILLS and self._out_of_memory.is_new():
            why = FailureCause.OUT_OF_MEMORY
        self._end(
            Finished(job_id, time, verdict.outcome, verdict.reason, verdict.metrics, ran, why)
        )

    def fail(self, job_id: str, reason: str) -> None:
        """End a job that could not be started."""
        self._end(Finished(job_id, self._now(), Outcome.FAILED, reason))

    def lose(self, supervisor: SupervisorClient) -> None:
        """End the jobs of a supervisor that was killed; they will be run again."""
        for job_id, (owner, output) in list(self._jobs.items()):
            if owner is supervisor:
                is_over = output.cancelled
                reason = "" if is_over else "the process that had started it was killed"
                outcome = Outcome.CANCELLED if is_over else Outcome.LOST
                self._end(Finished(job_id, self._now(), outcome, reason))

    def _report(self, job_id: str, time: float, reports: Iterable[Report]) -> None:
        for iteration, metrics in reports:
            self._emit(Reported(job_id, time, iteration, metrics))

    def _end(self, finished: Finished) -> None:
        _, output = self._jobs.pop(finished.job_id)
        if output.job.log and finished.outcome is not Outcome.COMPLETED:  # otherwise its parent did
            remove_if_empty(output.job.log)
        self._emit(finished)
        self._on_end(finished.job_id)
