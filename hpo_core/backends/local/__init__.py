"""The backend `local`: commands, or warm Python workers, as processes of this machine (POSIX).

    backend             the Backend: jobs, each in the care of a supervisor
    work                what jobs are: commands or calls of a function
    live_function       a function that workers can't import is sent to them
    supervisor_client   the connection to a supervisor
    job_output          what a job says, and what to make of its end
    messages            reads a report from a line
    reattach            jobs that have outlived their controller
    journal_schema      the lines of journals, checked
    orphans             finding and ending what nobody looks after
    oom                 who was killed because memory ran out
    resource_errors     what to say where the machine has no room for more

What runs in the other processes is `hpo_core.backends.supervisor`. Nothing here polls or sleeps.
"""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.contracts.backend import Backend, BackendContext, BackendSpec
from hpo_core.contracts.hookspecs import hookimpl
from hpo_core.contracts.strategy import NoOptions


def build(context: BackendContext, options: NoOptions) -> Backend:
    """Make the backend.

    Raises:
        BackendError: If this system has no POSIX processes, the study's folder does not exist, or
            its function can't be found by another process.
    """
    from hpo_core.backends.local.backend import LocalBackend

    return LocalBackend(context)


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Announce the backend."""
    summary = "commands, or Python functions in warm worker processes, on this machine"
    return [
        BackendSpec(
            name="local", summary=summary, build=build, enforces_limits=True, live_functions=True
        )
    ]
