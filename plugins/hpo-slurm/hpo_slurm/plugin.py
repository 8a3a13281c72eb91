"""The entry point: announces the backend, and imports it only when a study uses it."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import Backend, BackendContext, BackendSpec, hookimpl
from hpo_slurm.options import SlurmOptions


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Return the spec of the backend."""
    return [
        BackendSpec(
            name="slurm",
            summary="commands and Python functions as Slurm jobs",
            build=build,
            options=SlurmOptions,
            enforces_limits=True,
            resources=frozenset({"gpus", "cpus", "memory"}),
            placeholders=frozenset({"worker"}),
        )
    ]


def build(context: BackendContext, options: SlurmOptions) -> Backend:
    """Build the backend.

    Raises:
        BackendError: If Slurm cannot be reached, or would refuse the study's jobs.
        InvalidInput: If an option is invalid.
    """
    from hpo_slurm.backend import SlurmBackend

    return SlurmBackend(context, options)
