"""The backend `local`: commands, or warm Python workers, as processes of this machine (POSIX).

    backend             the Backend: jobs, each in the care of a supervisor
    work                what jobs are: commands or calls of a function
    live_function       a function that workers can't import is sent to them
    running_jobs        what supervisors say of jobs becomes events
    supervisor_client   the connection to a supervisor
    job_output          what a job says, and what to make of its end
    messages            reads a report from a line
    reattach            jobs that have outlived their controller
    journal_schema      the lines of journals, checked
    orphans             finding and ending what nobody looks after
    machine             what this machine gives to each job: places, and limits of memory
    places              who has which GPUs and CPUs
    devices             the GPUs of this machine
    device_locks        studies of one user never use the same GPU
    memory              limits of memory: cgroups, the address space
    oom                 who was killed because memory ran out
    resource_errors     what to say where the machine has no room for more

What runs in the other processes is `hpo_core.backends.supervisor`. Nothing here polls or sleeps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from hpo_core.contracts.backend import Backend, BackendContext, BackendSpec
from hpo_core.contracts.hookspecs import hookimpl
from hpo_core.contracts.strategy import NoOptions
from hpo_core.model.resources import Resources


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Options of the backend.

    Attributes:
        gpus: The GPUs of a study with ``job.resources.gpus``, by their numbers or UUIDs, also of
            MIG; ``"auto"`` for all that are visible.
    """

    gpus: Literal["auto"] | tuple[int | str, ...] = "auto"

    def __post_init__(self) -> None:
        names = [] if self.gpus == "auto" else [str(name) for name in self.gpus]
        if len(set(names)) < len(names) or "" in names:
            raise ValueError(f"gpus: expected different names, got {names}")


def build(context: BackendContext, options: Options | NoOptions) -> Backend:
    """Make the backend.

    Raises:
        BackendError: If this system has no POSIX processes, the study's folder does not exist, or
            its function can't be found by another process.
        InvalidInput: If this machine has too little for a job.
    """
    from hpo_core.backends.local.backend import LocalBackend

    return LocalBackend(context, options.gpus if isinstance(options, Options) else "auto")


def capacity(resources: Resources, options: Options) -> int:
    """Return how many jobs run here at once, each with its resources.

    Raises:
        InvalidInput: If this machine has too little for one.
    """
    from hpo_core.backends.local.places import places_of

    return len(places_of(resources, options.gpus))


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Announce the backend."""
    summary = "commands, or Python functions in warm worker processes, on this machine"
    return [
        BackendSpec(
            name="local",
            summary=summary,
            build=build,
            options=Options,
            enforces_limits=True,
            queues=True,
            live_functions=True,
            resources=frozenset({"gpus", "cpus", "memory"}),
            capacity=capacity,
            placeholders=frozenset({"gpu", "worker"}),
        )
    ]
