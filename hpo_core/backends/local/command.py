"""Jobs that are commands: a process each, started and heard by a keeper, a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

from hpo_core.backends.local.hearing import Hearing
from hpo_core.backends.local.keeping import Keeping
from hpo_core.backends.local.leftovers import Sweeper
from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.processes import base_environment
from hpo_core.backends.local.shortage import is_shortage
from hpo_core.backends.logs import remove_if_empty
from hpo_core.contracts.backend import (
    BackendContext,
    Finished,
    JobEvent,
    Outcome,
    Reported,
    Started,
)
from hpo_core.model.job import Job
from hpo_core.model.templates import Command
from hpo_core.model.values import Value

GRACE_FOR_FAULTS = 5.0
"""Seconds that a job gets to end after a malformed line."""


class _Running:
    """A command that runs."""

    def __init__(self, job: Job, arguments: list[str]) -> None:
        self.job = job
        self.arguments = arguments
        self.hearing = Hearing()


class Commands:
    """Has a command run for each job.

    Args:
        context: What is known of the study.
        arguments: The command, with placeholders.
        loop: What waits for the keeper.
    """

    def __init__(
        self, context: BackendContext, arguments: tuple[str, ...], loop: Loop[JobEvent]
    ) -> None:
        self._command = Command(arguments)
        self._sweeper = Sweeper(context.study_uid)
        self._directory = context.work.directory
        self._path = context.work.environment.get("PATH", os.environ.get("PATH", os.defpath))
        self._now = context.clock.now
        self._loop = loop
        self._programs: dict[str, str] = {}
        self._running: dict[str, _Running] = {}
        self._heard: dict[str, tuple[int, int]] = {}
        self._settled: list[str] = []
        self._keeping = Keeping(
            base_environment({}, context.study_uid),
            context.work.environment,
            os.path.abspath(self._directory),
            context.folder,
            loop,
        )
        self._keeping.on_message = self._take
        self._keeping.on_end = self._lose_all

    def submit(self, job: Job) -> None:
        """Have a job's process started."""
        arguments = self._command.render(_values(job))
        program = self._find(arguments[0]) if arguments else ""
        self._running[job.id] = _Running(job, arguments)
        self._keeping.send(
            "start", job.id, arguments, program, _variables(job), job.log, job.checkpoint_dir
        )

    def cancel(self, job_id: str, grace: float) -> None:
        """End a job by SIGTERM, and by SIGKILL after `grace` seconds."""
        running = self._running.get(job_id)
        if running is not None:
            running.hearing.cancelled = not running.hearing.fault
            self._keeping.send("end", job_id, grace)

    def proceed(self) -> None:
        """Tell the keeper what is recorded: all that was told until now."""
        if self._heard or self._settled:
            self._keeping.send("recorded", self._heard, self._settled)
            self._heard, self._settled = {}, []

    def close(self) -> None:
        """Kill and reap everything."""
        self._running.clear()
        self._keeping.close()

    # -- what the keeper says -------------------------------------------------------------------

    def _take(self, kind: str, job_id: str, *said: Any) -> None:
        running = self._running.get(job_id)
        if running is None:
            return
        match kind, said:
            case "started", (pid,):
                self._loop.emit(Started(job_id, self._now(), handle=pid))
            case "data", (text,):
                self._hear(running, text.encode("latin-1"))
            case "exited", (status,):
                self._exited(running, status)
            case "refused", (number, text):
                self._refused(running, number, text)

    def _hear(self, running: _Running, data: bytes) -> None:
        hearing, job = running.hearing, running.job
        was_faulty = bool(hearing.fault)
        for iteration, metrics in hearing.feed(data):
            self._loop.emit(Reported(job.id, self._now(), iteration, metrics))
        if hearing.fault and not was_faulty:
            self._keeping.send("end", job.id, GRACE_FOR_FAULTS)
        self._heard[job.id] = (hearing.count, hearing.reports)

    def _exited(self, running: _Running, status: int) -> None:
        """Say that a job has ended, once those are gone too that have left its group."""
        hearing, job = running.hearing, running.job
        for iteration, metrics in hearing.rest():
            self._loop.emit(Reported(job.id, self._now(), iteration, metrics))
        self._sweeper.end(f"HPO_JOB_ID={job.id}")
        self._end(job, *hearing.verdict(status, job.log))

    def _refused(self, running: _Running, number: int | None, text: str) -> None:
        error = OSError(number, text) if number else ValueError(text)
        if isinstance(error, OSError) and is_shortage(error):
            raise error
        reason = self._cannot_start(running.arguments, error)
        self._end(running.job, Outcome.FAILED, reason)

    def _lose_all(self) -> None:
        """The keeper was killed: its jobs are killed as well, and to be run again."""
        for running in list(self._running.values()):
            self._sweeper.end(f"HPO_JOB_ID={running.job.id}")
            is_over = running.hearing.cancelled
            reason = "" if is_over else "the process was killed that had started it"
            self._end(running.job, Outcome.CANCELLED if is_over else Outcome.LOST, reason)

    def _end(self, job: Job, outcome: Outcome, reason: str) -> None:
        del self._running[job.id]
        self._heard.pop(job.id, None)
        self._settled.append(job.id)
        if job.log:
            remove_if_empty(job.log)
        self._loop.emit(Finished(job.id, self._now(), outcome, reason))

    # -- starting -------------------------------------------------------------------------------

    def _find(self, program: str) -> str:
        """Return a program's file, looked for on PATH once for all jobs."""
        if program not in self._programs:
            found = shutil.which(program, path=self._path) if os.sep not in program else None
            self._programs[program] = found if found and os.path.isabs(found) else program
        return self._programs[program]

    def _cannot_start(self, arguments: list[str], error: OSError | ValueError) -> str:
        program = arguments[0] if arguments else ""
        if isinstance(error, FileNotFoundError):
            why = (
                f"no such file, in {os.path.abspath(self._directory)} or on PATH; check job.command"
            )
        elif isinstance(error, PermissionError):
            why = "it may not be executed; chmod +x it, or put its interpreter before it"
        elif isinstance(error, OSError) and error.strerror == "Exec format error":
            why = "it is no program; begin it with a #! line, or put its interpreter before it"
        else:
            why = str(error)
        return f"cannot start {program!r}: {why}"


def _variables(job: Job) -> dict[str, str]:
    variables = {
        "HPO_JOB_ID": job.id,
        "HPO_TRIAL_ID": str(job.trial_id),
        "HPO_CONFIGURATION": json.dumps(job.configuration),
        "HPO_CHECKPOINT_DIR": job.checkpoint_dir,
    }
    if job.iterations is not None:
        variables["HPO_ITERATIONS"] = str(job.iterations)
    return variables


def _values(job: Job) -> dict[str, Value]:
    values: dict[str, Value] = {
        **job.configuration,
        "python": sys.executable,
        "trial_id": job.trial_id,
        "job_id": job.id,
        "checkpoint_dir": job.checkpoint_dir,
    }
    if job.iterations is not None:
        values["iterations"] = job.iterations
    return values
