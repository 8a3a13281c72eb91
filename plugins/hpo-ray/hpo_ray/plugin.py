"""The entry point: announces the backend, and imports it only when a study uses it."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import Backend, BackendContext, BackendSpec, hookimpl
from hpo_ray.options import RayOptions


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Return the spec of the backend."""
    return [
        BackendSpec(
            name="ray",
            summary="commands and Python functions on actors of a Ray cluster",
            build=build,
            options=RayOptions,
            enforces_limits=True,
            resources=frozenset({"gpus", "cpus", "memory"}),
            placeholders=frozenset({"worker"}),
        )
    ]


def build(context: BackendContext, options: RayOptions) -> Backend:
    """Build the backend.

    Raises:
        BackendError: If Ray cannot be reached or started, or has no room for a job.
        InvalidInput: If an option is invalid.
    """
    from hpo_ray.backend import RayBackend

    return RayBackend(context, options)
