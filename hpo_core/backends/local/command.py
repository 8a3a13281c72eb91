"""Jobs that are commands: a process each, which reports over a pipe of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable

from hpo_core.backends.local.leftovers import Sweeper
from hpo_core.backends.local.lines import Lines, Malformed, parse_report, too_long
from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.processes import Group, base_environment, encoded, how_it_ended
from hpo_core.backends.local.shortage import is_shortage
from hpo_core.backends.local.slot import ReportSlot
from hpo_core.backends.logs import create, last_lines, remove_if_empty
from hpo_core.client import LONGEST
from hpo_core.contracts.backend import BackendContext, Finished, Outcome, Reported, Started
from hpo_core.model.job import Job
from hpo_core.model.templates import Command
from hpo_core.model.values import Value

_GRACE_FOR_FAULTS = 5.0
"""Seconds that a job gets to end after a malformed line."""

_PIPE_HOLDS = 1 << 20
"""The most bytes that a pipe can hold, and so the most to read once nobody writes."""


class Commands:
    """Starts a command for each job.

    Args:
        context: What is known of the study.
        arguments: The command, with placeholders.
        slot: The number of their report pipes.
        loop: What waits for the processes.
    """

    def __init__(
        self, context: BackendContext, arguments: tuple[str, ...], slot: ReportSlot, loop: Loop
    ) -> None:
        self._command = Command(arguments)
        self._sweeper = Sweeper(context.study_uid)
        self._directory = context.work.directory
        self._environment = base_environment(context.work.environment, context.study_uid)
        self._now = context.clock.now
        self._slot = slot
        self._loop = loop
        self._programs: dict[str, str] = {}
        self._running: dict[str, _Running] = {}

    def submit(self, job: Job) -> None:
        """Start a job's process."""
        arguments = self._command.render(_values(job))
        try:
            with self._slot.pipe() as reading:
                group = self._start(job, arguments, reading)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and is_shortage(error):
                raise
            self._end(job, Outcome.FAILED, self._cannot_start(arguments, error))
        else:
            self._loop.emit(Started(job.id, self._now(), handle=group.pid))
            self._running[job.id] = _Running(
                job, group, reading, self._loop, self._now, self._ended
            )

    def cancel(self, job_id: str, grace: float) -> None:
        """End a job by SIGTERM, and by SIGKILL after `grace` seconds."""
        if job_id in self._running:
            self._running[job_id].cancel(grace)

    def proceed(self) -> None:
        """Do nothing: commands don't wait for answers."""

    def close(self) -> None:
        """Kill and reap everything."""
        for running in self._running.values():
            running.discard()
        self._running.clear()
        self._slot.close()

    def _start(self, job: Job, arguments: list[str], reading: int) -> Group:
        """Start a process; on failure the reading end is closed."""
        output = None
        try:
            output = create(job.log) if job.log else None
            if job.checkpoint_dir:
                os.makedirs(job.checkpoint_dir, exist_ok=True)
            return Group(
                arguments,
                self._directory,
                {**self._environment, **encoded(self._variables(job))},
                output,
                (self._slot.number,),
                self._find(arguments[0]),
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            if output is not None:
                os.close(output)

    def _ended(self, job: Job, outcome: Outcome, reason: str) -> None:
        """Say that a job has ended, once those are gone too that have left its group."""
        self._sweeper.end(f"HPO_JOB_ID={job.id}")
        del self._running[job.id]
        self._end(job, outcome, reason)

    def _end(self, job: Job, outcome: Outcome, reason: str) -> None:
        if job.log:
            remove_if_empty(job.log)
        self._loop.emit(Finished(job.id, self._now(), outcome, reason))

    def _find(self, program: str) -> str:
        """Return a program's file, looked for on PATH once for all jobs."""
        if program not in self._programs:
            path = os.fsdecode(self._environment.get(b"PATH", os.fsencode(os.defpath)))
            found = shutil.which(program, path=path) if os.sep not in program else None
            self._programs[program] = found if found and os.path.isabs(found) else program
        return self._programs[program]

    def _variables(self, job: Job) -> dict[str, str]:
        variables = {
            "HPO_JOB_ID": job.id,
            "HPO_TRIAL_ID": str(job.trial_id),
            "HPO_CONFIGURATION": json.dumps(job.configuration),
            "HPO_CHECKPOINT_DIR": job.checkpoint_dir,
            "HPO_REPORT_FD": str(self._slot.number),
        }
        if job.iterations is not None:
            variables["HPO_ITERATIONS"] = str(job.iterations)
        return variables

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


class _Running:
    """A command's process, from its start to its end."""

    def __init__(
        self,
        job: Job,
        group: Group,
        reading: int,
        loop: Loop,
        now: Callable[[], float],
        ended: Callable[[Job, Outcome, str], None],
    ) -> None:
        self._job = job
        self._group = group
        self._pipe: int | None = reading
        self._lines = Lines()
        self._loop = loop
        self._now = now
        self._ended = ended
        self._cancelled = False
        self._fault = ""
        self._exited = False
        self._ending = False
        loop.watch(reading, self._readable)
        loop.watch(group.exit, self._exit)

    def cancel(self, grace: float) -> None:
        """End it, for the study's sake."""
        self._cancelled = not self._fault
        self._terminate(grace)

    def discard(self) -> None:
        """Kill it and free everything, with nothing said of it."""
        self._loop.never(self)
        if not self._exited:
            self._loop.unwatch(self._group.exit)
        self._group.end()
        self._close_pipe()

    def _terminate(self, grace: float) -> None:
        if grace <= 0:
            self._kill()
            return
        if not self._ending:
            self._group.signal(signal.SIGTERM)
        self._ending = True
        self._loop.later(self, grace, self._kill)

    def _kill(self) -> None:
        self._ending = False
        self._group.signal(signal.SIGKILL)
        if self._exited:
            self._finish()

    def _readable(self) -> None:
        self._read_once()
        if self._pipe is None and self._exited:
            self._finish()

    def _exit(self) -> None:
        """The leader has ended. Who of its group still holds the pipe may use up a given grace."""
        self._exited = True
        self._loop.unwatch(self._group.exit)
        self._drain()
        if self._pipe is None:
            self._finish()
        elif not self._ending:
            self._kill()

    def _finish(self) -> None:
        self._loop.never(self)
        status = self._group.end()
        self._drain()
        self._close_pipe()
        self._take(self._lines.rest())
        if self._cancelled:
            self._ended(self._job, Outcome.CANCELLED, "")
        elif self._fault:
            self._ended(self._job, Outcome.FAILED, self._fault)
        elif status == 0:
            self._ended(self._job, Outcome.COMPLETED, "")
        else:
            said = last_lines(self._job.log) if self._job.log else ""
            reason = f"{how_it_ended(status)}\n{said}" if said else how_it_ended(status)
            self._ended(self._job, Outcome.FAILED, reason)

    def _drain(self) -> None:
        left = _PIPE_HOLDS
        while self._pipe is not None and left > 0 and (count := self._read_once()):
            left -= count

    def _read_once(self) -> int:
        """Read what is there; return how much, 0 if there is nothing."""
        assert self._pipe is not None
        try:
            data = os.read(self._pipe, 65536)
        except BlockingIOError:
            return 0
        if not data:
            self._close_pipe()
        for line in self._lines.feed(data):
            self._take(line)
        if self._lines.pending > LONGEST:
            self._blame(too_long(self._lines.rest()))
        return len(data)

    def _take(self, line: bytes) -> None:
        if self._fault or not line.strip():
            return
        try:
            iteration, metrics = parse_report(line)
        except Malformed as error:
            self._blame(error)
        else:
            self._loop.emit(Reported(self._job.id, self._now(), iteration, metrics))

    def _blame(self, error: Malformed) -> None:
        """End the job for a fault of its own; the first one is what is told."""
        if not self._fault and not self._cancelled:
            self._fault = str(error)
            if not self._exited:
                self._terminate(_GRACE_FOR_FAULTS)

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            self._loop.unwatch(self._pipe)
            os.close(self._pipe)
            self._pipe = None


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
