"""The entry point: announces the backend, and imports it only when a study uses it."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import Backend, BackendContext, BackendSpec, hookimpl
from hpo_dask.options import DaskOptions


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Return the spec of the backend."""
    return [
        BackendSpec(
            name="dask",
            summary="commands and Python functions on the workers of a Dask cluster",
            build=build,
            options=DaskOptions,
            enforces_limits=True,
            resources=frozenset({"gpus", "cpus", "memory"}),
            placeholders=frozenset({"worker"}),
        )
    ]


def build(context: BackendContext, options: DaskOptions) -> Backend:
    """Build the backend.

    Raises:
        BackendError: If Dask cannot be reached or started, or has no room for a job.
        InvalidInput: If an option is invalid.
    """
    from hpo_dask.backend import DaskBackend

    return DaskBackend(context, options)
