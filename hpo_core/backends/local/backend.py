"""The backend: a study's jobs are either commands or functions, and one loop serves them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from hpo_core.backends.local.adoption import Adoption
from hpo_core.backends.local.command import Commands
from hpo_core.backends.local.leftovers import end_leftovers
from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.shortage import explained
from hpo_core.backends.local.workers import Workers, function_of
from hpo_core.contracts.backend import BackendContext, JobEvent
from hpo_core.model.errors import BackendError
from hpo_core.model.job import Job


class Runner(Protocol):
    """Runs jobs of one kind; what becomes of them it tells the loop."""

    def submit(self, job: Job) -> None:
        """Begin a job.

        Raises:
            OSError: If this machine has no room for any.
        """
        ...

    def cancel(self, job_id: str, grace: float) -> None:
        """End a job; force it after `grace` seconds."""
        ...

    def proceed(self) -> None:
        """Let the jobs that have reported and were not cancelled go on."""
        ...

    def close(self) -> None:
        """Kill and reap everything."""
        ...


class LocalBackend:
    """Runs jobs as processes of this machine.

    Args:
        context: What is known of the study.

    Raises:
        BackendError: If it can't run the study's work.
    """

    def __init__(self, context: BackendContext) -> None:
        if os.name != "posix":
            raise BackendError(
                "the local backend needs POSIX processes (Linux, macOS); choose backend 'inline'"
            )
        if not os.path.isdir(context.work.directory):
            raise BackendError(f"the jobs' folder {context.work.directory!r} does not exist")
        self._study_uid = context.study_uid
        self._runner: Runner
        self._loop: Loop[JobEvent] | None
        with explained():
            if context.work.command is not None:
                self._loop = Loop()
                self._runner = Commands(context, context.work.command, self._loop)
            else:
                function = function_of(context.work)
                self._loop = Loop()
                self._runner = Workers(context, function, self._loop)
        self._adoption = (
            None
            if context.folder is None
            else Adoption(context.folder, context.study_uid, self._loop, context.clock.now)
        )

    def submit(self, job: Job) -> None:
        with explained():
            self._runner.submit(job)

    def cancel(self, job_id: str, *, grace: float) -> None:
        self._runner.cancel(job_id, grace)
        if self._adoption is not None:
            self._adoption.cancel(job_id, grace)

    def events(self, timeout: float | None) -> Sequence[JobEvent]:
        with explained():
            self._runner.proceed()
            return self._open.run(timeout)

    def wake(self) -> None:
        if self._loop is not None:  # a handler may come too late
            self._loop.wake()

    def adopt(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take over what a controller that died has left under way; end all else that it left."""
        with explained():
            if self._adoption is not None:
                return self._adoption.take_over(jobs)
            end_leftovers(self._study_uid)
        return ()

    def close(self) -> None:
        """Kill every process of the study, those too that have left their group."""
        if self._loop is None:
            return
        try:
            with explained():
                self._runner.close()
                end_leftovers(self._study_uid)
                if self._adoption is not None:
                    self._adoption.close()
        finally:
            self._loop.close()
            self._loop = None

    @property
    def _open(self) -> Loop[JobEvent]:
        if self._loop is None:
            raise BackendError("the backend is closed")
        return self._loop
