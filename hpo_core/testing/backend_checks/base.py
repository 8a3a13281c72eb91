"""How a backend is built and driven for its checks, and its attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from hpo_core.contracts.backend import Backend, BackendContext, Work
from hpo_core.model.resources import Resources
from hpo_core.testing import jobs
from hpo_core.testing.driver import Driver

Begin: TypeAlias = Callable[..., Driver]
"""Starts a backend: for a function of `hpo_core.testing.jobs`, or for other work."""


class BackendChecks:
    """The common base of all groups of checks.

    Attributes:
        work: The kind of its jobs here: ``"function"`` or ``"command"``.
        in_process: Whether jobs run in the controller's own process and thread, one at a time,
            as the backend ``inline`` runs them: such jobs cannot be killed.
        sets_variables: Whether it sets environment variables for jobs.
        numbers_workers: Whether jobs that run at once have different numbers, from 0, in
            ``HPO_WORKER``.
        queues: Whether it takes more jobs than it has workers; see `BackendSpec.queues`.
        idle_wakes: How often its process may wake up in half a second without events. A library
            that sends heartbeats needs a larger number; do not increase it for a backend that
            polls.
        quick_jobs: Number of jobs that are run one after the other. Use fewer for an engine that
            takes a second to start one.
        resources: The resources that the jobs of some checks ask for; None for a backend that
            provides none, or none on this machine.
    """

    work: Literal["function", "command"] = "function"
    in_process: bool = False
    sets_variables: bool = True
    numbers_workers: bool = False
    queues: bool = False
    idle_wakes: int = 5
    quick_jobs: int = 1_000
    resources: Resources | None = None

    def make_backend(self, context: BackendContext) -> Backend:
        """Build the backend. Define this without fixtures: another process calls it too."""
        raise NotImplementedError("give your test class a method make_backend(self, context)")

    def make_distant_backend(self, context: BackendContext, reach: str) -> Any:
        """Make the backend such that its jobs reach the controller at ``reach``, ``host:port``.

        Return None if jobs do not reach it over a network. A backend that is not a
        `hpo_core.plugin.RemoteBackend` needs an attribute ``port``, at which it listens.
        """
        return None

    def lose_worker(self, handle: Any) -> Any:
        """Kill the process that supervises a job, as if its machine had failed.

        Return NotImplemented if no such process exists.

        Args:
            handle: The handle of the job's Started event.
        """
        return NotImplemented

    def drive(
        self,
        folder: Path,
        function: str,
        environment: Mapping[str, str] = {},
        make: Callable[[BackendContext], Backend] | None = None,
        **told: Any,
    ) -> Driver:
        """Build a backend for one of the functions of `hpo_core.testing.jobs`, with its driver."""
        known: Callable[..., Any] = getattr(jobs, function)
        is_command = self.work == "command"
        work = Work(
            command=jobs.command(known) if is_command else None,
            function=None if is_command else jobs.reference(known),
            directory=str(folder),
            environment=environment,
            metric="loss",
        )
        return Driver(make or self.make_backend, folder, work, **told)

    @pytest.fixture
    def start(self, tmp_path: Path) -> Iterator[Begin]:
        """Return a function that starts a backend; all backends are closed at the end."""
        begun: list[Driver] = []

        def start(what: Callable[..., Any] | Work, **told: Any) -> Driver:
            if isinstance(what, Work):
                begun.append(Driver(self.make_backend, tmp_path, what, **told))
            else:
                begun.append(self.drive(tmp_path, what.__name__, **told))
            return begun[-1]

        yield start
        for driver in begun:
            driver.close()

    @property
    def cancellable(self) -> Callable[..., Any]:
        """A job that ends on request: functions see it at a report, commands get a signal."""
        return jobs.waits if self.work == "command" else jobs.reports_for_ever

    def only(self, work: str, reason: str) -> None:
        """Skip a check that does not apply to the other kind of work."""
        if self.work != work:
            pytest.skip(f"not applicable: {reason}")

    def needs_a_queue(self) -> None:
        """Skip a check of jobs that wait for a worker."""
        if not self.queues:
            pytest.skip("not applicable: it takes no more jobs than workers (queues = False)")

    def needs_processes(self, reason: str) -> None:
        """Skip a check that jobs in the controller's process cannot pass."""
        if self.in_process:
            pytest.skip(f"not applicable: jobs run in the controller's process, where {reason}")
