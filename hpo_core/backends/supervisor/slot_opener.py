"""Open a slot: fork its launcher, or have the template fork its worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hpo_core.backends.supervisor.command_slot import CommandSlot
from hpo_core.backends.supervisor.function_slot import FunctionSlot
from hpo_core.backends.supervisor.launcher import encoded
from hpo_core.backends.supervisor.launchers import Launchers
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.slot import Owner, Slot
from hpo_core.backends.supervisor.supervised_job import SupervisedJob
from hpo_core.backends.supervisor.template_client import TemplateClient


class SlotOpener:
    """Opens slots for commands, or for calls of a function.

    Args:
        loop: The event loop.
        launchers: Forks launchers.
        environment: The variables of commands, without those of each job.
        variables: Those that the study adds for functions.
        function: The arguments of workers, for a study that runs a function; see `template`.
        pickle: The descriptor of a function that workers cannot import; None for none.
        is_fresh: Whether workers are new processes, and not forked from a template.
        tell: Sends a message to the controller.
        on_template: Called when slots can be opened that could not be before; with its exit status
            if the template has ended before that.
    """

    def __init__(
        self,
        loop: Loop[None],
        launchers: Launchers,
        *,
        environment: Mapping[bytes, bytes],
        variables: Mapping[str, str],
        function: dict[str, Any] | None,
        pickle: int | None,
        is_fresh: bool,
        tell: Callable[..., None],
        on_template: Callable[[int | None], None],
    ) -> None:
        self._loop = loop
        self._launchers = launchers
        self._environment = environment
        self._variables = variables
        self._function = function
        self._pickle = pickle
        self._is_fresh = is_fresh
        self._tell = tell
        self._on_template = on_template
        self._decides = function is not None and function["decides"]
        self._template: TemplateClient | None = None

    @property
    def template(self) -> int | None:
        """The process of the template, if there is one."""
        return None if self._template is None else self._template.pid

    def open(self, owner: Owner, job: SupervisedJob, number: int) -> Slot | None:
        """Open a slot for a job and the later ones of its worker; None if that has to wait.

        Raises:
            OSError: If the machine lacks processes or files for it.
        """
        told = job.told
        if self._function is None:
            sock, pid = self._launchers.fork(job.cpus)
            return CommandSlot(sock, self._loop, owner, pid, worker=number)
        own = {**told["variables"], "HPO_WORKER": str(number)}
        start: Callable[[], None]
        if self._is_fresh:
            sock, pid = self._launchers.fork(job.cpus)
            slot = FunctionSlot(sock, self._loop, owner, self._decides, pid, worker=number)
            start = partial(
                slot.spawn_worker,
                self._function,
                {**self._variables, **own},
                self._pickle,
                told["log"],
                told["prefix"],
            )
        elif self._template is not None and self._template.is_ready:
            sock = self._template.fork()
            slot = FunctionSlot(sock, self._loop, owner, self._decides, worker=number)
            start = partial(slot.fork_worker, own, told["log"])
        else:
            if self._template is None:
                self._start_template(self._function, told["log"])
            return None
        try:
            start()
        except OSError:
            slot.close()
            raise
        return slot

    def _start_template(self, function: dict[str, Any], log: str) -> None:
        self._template = TemplateClient(
            self._loop,
            function,
            self._pickle,
            {**self._environment, **encoded(self._variables)},
            log,
            self._on_change,
        )

    def _on_change(self, why: str | None, status: int | None) -> None:
        """The template is ready; or it can't be forked, which it says; or it has ended."""
        was_ready = self._template is not None and self._template.is_ready
        if why is not None:
            self._is_fresh, self._template = True, None
            self._tell("fresh", why)
        elif status is not None:
            self._template = None
        self._on_template(None if was_ready else status)
