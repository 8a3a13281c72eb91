"""The backend `local`: jobs on this machine, started by supervisors."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hpo_core.backends.local import orphans, supervisor_client
from hpo_core.backends.local.machine import Machine
from hpo_core.backends.local.reattach import journals, what_is_left
from hpo_core.backends.local.resource_errors import explained, is_machines, remedy
from hpo_core.backends.local.running_jobs import RunningJobs
from hpo_core.backends.local.supervisor_client import SupervisorClient
from hpo_core.backends.local.work import SupervisedWork, names_worker, work_of
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import without_job_variables
from hpo_core.contracts.backend import (
    BackendContext,
    Finished,
    JobEvent,
    Outcome,
)
from hpo_core.model.errors import BackendError
from hpo_core.model.job import Job

_log = logging.getLogger("hpo_core")


class LocalBackend:
    """Runs jobs as processes on this machine.

    Args:
        context: Information about the study.
        gpus: The names of the GPUs for its jobs, or ``"auto"``.
        loop: The event loop, which stays open; its own one if None.
        first_worker: The number of the first worker of a study without resources.

    Raises:
        BackendError: If it cannot run the study's work.
        InvalidInput: If this machine has too little for a job.
    """

    def __init__(
        self,
        context: BackendContext,
        gpus: str | Sequence[Any] = "auto",
        loop: Loop[JobEvent] | None = None,
        first_worker: int = 0,
    ) -> None:
        if os.name != "posix":
            raise BackendError(
                "the local backend needs POSIX processes (Linux, macOS); choose backend 'inline'"
            )
        if not os.path.isdir(context.work.directory):
            raise BackendError(f"the jobs' folder {context.work.directory!r} does not exist")
        self._context = context
        self._first_worker = first_worker
        self._has_free_gpu = False
        self._machine = Machine(
            context.resources,
            gpus,
            study=context.study,
            uid=context.study_uid,
            workers=context.workers,
            numbers=names_worker(context.work),
            on_free=self._on_free_gpu,
            first_worker=first_worker,
        )
        self._work: SupervisedWork = work_of(context)
        self._owns_loop = loop is None
        self._loop: Loop[JobEvent] | None = loop
        try:
            with explained():
                self._loop = loop or Loop()
        except BaseException:
            self._release()
            raise
        for remark in self._machine.remarks(context.workers):
            _log.warning(remark)
        self._waiting: dict[str, Job] = {}  # for a place
        self._supervisor: SupervisorClient | None = None
        self._all: list[SupervisorClient] = []  # including those started by an earlier controller
        self._jobs = jobs = RunningJobs(
            context.study_uid, self._open.emit, context.clock.now, self._free
        )
        self._handlers: dict[str, Callable[..., None]] = {
            "started": jobs.on_started,
            "data": jobs.on_data,
            "ended": jobs.on_ended,
            "refused": self._on_refused,
            "short": self._on_short,
            "fresh": self._on_fresh,
            "stuck": self._on_stuck,
            "crashed": self._on_crashed,
            "job": self._on_job,
            "attached": self._on_attached,
        }
        self._early: list[JobEvent] = []  # events received while jobs were taken over
        self._to_adopt: dict[str, Job] = {}
        self._adopted: dict[str, None] = {}

    # -- the contract ---------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        with explained():
            supervisor = self._supervisor or self._start()
            place = None if supervisor is None else self._machine.take(job.id)
            if supervisor is None or place is None:
                self._waiting[job.id] = job
                return
            told = self._work.told(job, place, self._machine.prefix(place))
        self._jobs.add(supervisor, self._work.output(job))
        self._jobs.confirm_ends(supervisor)
        supervisor.put("start", job.id, told)
        if len(self._jobs) <= self._context.workers:  # a worker may be free
            supervisor.flush()

    def cancel(self, job_id: str, *, grace: float) -> None:
        if self._waiting.pop(job_id, None) is not None:
            now = self._context.clock.now()
            self._early.append(Finished(job_id, now, Outcome.CANCELLED))
        self._jobs.cancel(job_id, grace)

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        with explained():
            if self._has_free_gpu:
                self._has_free_gpu = False
                self._submit_waiting()
            for supervisor in self._all:
                self._jobs.confirm(supervisor)
            if self._early:
                early, self._early = self._early, []
                return early
            return self._open.run(timeout)

    def wake(self) -> None:
        if self._loop is not None:  # a signal handler may be late
            self._loop.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take over the jobs of a dead controller, and end its other processes."""
        by_id = {job.id: job for job in jobs}
        folder = self._context.folder
        with explained():
            for path in journals(folder) if folder is not None else ():
                while self._take_over(path, by_id):  # one that is just ending leaves a journal
                    pass
            supervisors = [supervisor.pid for supervisor in self._all]
            orphans.end_orphans(self._context.study_uid, supervisors, list(self._adopted))
        return list(self._adopted)

    def close(self) -> None:
        """Kill all processes of the study, including those that have left their group."""
        if self._loop is None:
            return
        try:
            with explained():
                have_ended_all = [supervisor.close() for supervisor in self._all]
                if not all(have_ended_all):
                    orphans.end_orphans(self._context.study_uid)
                if self._context.folder is not None:
                    shutil.rmtree(self._context.folder, ignore_errors=True)
        finally:
            self._release()

    def _release(self) -> None:
        """Release what this process has for the study."""
        self._machine.close()
        loop, self._loop = self._loop, None
        if loop is not None and self._owns_loop:
            loop.close()
        if self._work.pickle is not None:
            os.close(self._work.pickle)

    # -- supervisors ----------------------------------------------------------------------------

    @property
    def _open(self) -> Loop[JobEvent]:
        if self._loop is None:
            raise BackendError("the backend is closed")
        return self._loop

    def _start(self) -> SupervisorClient | None:
        """Start a supervisor; return None as long as other studies use all GPUs."""
        context = self._context
        for remark in self._machine.claim():
            _log.warning(remark)
        if not self._machine.has_places:
            return None
        inherited = without_job_variables({**os.environ})
        self._supervisor = supervisor_client.start(
            self._open,
            self._take,
            self._lose,
            context.folder,
            {**inherited, "HPO_STUDY_UID": context.study_uid},
            directory=os.path.abspath(context.work.directory),
            variables=self._work.variables,
            function=self._work.function,
            pickle=self._work.pickle,
            locks=self._machine.locks,
            offset=context.clock.now() - time.monotonic(),
            workers=None if self._machine.is_divided else context.workers,
            is_fresh=context.resources is not None,
            first_worker=self._machine.unused_number(self._first_worker),
        )
        self._all.append(self._supervisor)
        return self._supervisor

    def _on_free_gpu(self) -> None:
        """Look again for GPUs; called in a thread."""
        self._has_free_gpu = True
        self.wake()

    def _lose(self, supervisor: SupervisorClient) -> None:
        """Handle a killed supervisor: kill its jobs, which will be run again."""
        self._all.remove(supervisor)
        if supervisor is self._supervisor:
            self._supervisor = None
        orphans.end_orphans(self._context.study_uid, [each.pid for each in self._all])
        self._jobs.lose(supervisor)
        self._machine.give_back_all(supervisor)
        self._submit_waiting()

    # -- messages of supervisors ----------------------------------------------------------------

    def _take(self, supervisor: SupervisorClient, kind: str, *told: Any) -> None:
        self._handlers[kind](supervisor, *told)

    def _on_refused(
        self, supervisor: SupervisorClient, job_id: str, number: int | None, text: str
    ) -> None:
        error = OSError(number, text) if number else ValueError(text)
        if isinstance(error, OSError) and is_machines(error):
            raise error
        job = self._jobs.job(job_id)
        reason = self._work.cannot_start(job, self._machine.place(job_id), error)
        self._jobs.fail(job_id, reason)

    def _on_short(self, _: SupervisorClient, number: int, text: str) -> None:
        _log.warning(
            "this machine has no resources for another job now: %s; the start is retried "
            "until it has (%s)",
            text,
            remedy(number),
        )

    def _on_fresh(self, _: SupervisorClient, why: str) -> None:
        _log.warning("each worker is a new process, which takes longer to start, since %s", why)

    def _on_stuck(self, _: SupervisorClient, pids: list[int]) -> None:
        raise orphans.cannot_end(pids)

    def _on_crashed(self, _: SupervisorClient, text: str) -> None:
        _log.error("the supervisor of jobs failed; its jobs are run again\n%s", text)

    def _free(self, job_id: str) -> None:
        """Give the place of a job that no longer runs to one that waits."""
        self._machine.give_back(job_id)
        self._submit_waiting()

    def _submit_waiting(self) -> None:
        """Submit the jobs that have waited for a place, as far as there are some now."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            for job in waiting.values():
                self.submit(job)

    # -- jobs of an earlier controller ----------------------------------------------------------

    def _take_over(self, path: Path, jobs: dict[str, Job]) -> bool:
        """Take over the jobs of a supervisor, which may be alive or have ended.

        Returns:
            Whether it has ended meanwhile without sending its messages, so that its journal has
            them.
        """
        self._to_adopt = jobs
        left = what_is_left(path)
        if left is not None and left.sock is not None:
            return self._attach(path, left.pid, left.sock)
        messages = [] if left is None else left.messages
        for kind, *told in messages:
            self._handlers[kind](None, *told)
        self._early += self._open.run(0)
        if not any(message[1] in jobs for message in messages):
            path.unlink(missing_ok=True)
        return False

    def _attach(self, path: Path, pid: int, sock: socket.socket) -> bool:
        supervisor = SupervisorClient(
            sock, pid, str(path), None, self._open, self._take, self._lose
        )
        self._all.append(supervisor)
        until = time.monotonic() + supervisor_client.STARTS_AND_ENDS
        while supervisor.is_attaching and not supervisor.is_lost:
            wait = until - time.monotonic()
            if wait <= 0:  # it hangs; its jobs are run again
                supervisor.kill()
                self._lose(supervisor)
                return False
            self._early += self._open.run(wait)
        return supervisor.is_lost and not self._early

    def _on_job(
        self,
        supervisor: SupervisorClient | None,
        job_id: str,
        pid: int,
        count: int,
        reports: int,
        started: float,
        place: list[Any] | None = None,
    ) -> None:
        """Handle a job that an earlier controller has started."""
        job = self._to_adopt.get(job_id)
        if supervisor is not None and place is not None:
            self._machine.hold(supervisor, job_id, place)
        if job is not None:
            output = self._work.output(job)
            output.skip(count, reports)
            self._jobs.add(supervisor, output)
            self._adopted[job_id] = None
        elif supervisor is not None:
            supervisor.put("cancel", job_id, 0.0)
            supervisor.flush()

    def _on_attached(self, supervisor: SupervisorClient) -> None:
        supervisor.is_attaching = False
        self._open.interrupt()
