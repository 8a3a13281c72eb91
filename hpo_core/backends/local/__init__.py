"""The backend `local`: commands, or warm Python workers, as processes of this machine (POSIX).

    backend      the Backend: a study's jobs are commands or functions, and one loop serves them
    loop         waits for whatever comes first: a report, an exit, a deadline, a wake
    command      jobs that are commands, a process each
    keeping      the line to the keeper of commands
    keeper       what runs in that process; it outlives its controller
    kept         a command in its keeper
    slot         the number of a command's report pipe
    hearing      what a command says, and what to make of its end
    adoption     jobs that have outlived their controller, taken over
    workers      jobs that are calls of a Python function, in worker processes that are reused
    shortage     what to say where the machine has no room for more
    entries      the lines of journals, checked
    lines        cuts what a job sends into lines, and reads a report from one
    processes    starting and ending groups of processes, and seeing their exit
    leftovers    finding and ending what is left

What runs within a worker is in `hpo_core.backends.worker`. Nothing here polls or sleeps.
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
    return [BackendSpec(name="local", summary=summary, build=build)]
