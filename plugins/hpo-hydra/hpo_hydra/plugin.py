"""The entry point ``hydra``: registers the backend and the kind of work of Hydra's sweeps."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hpo_core.plugin import (
    Backend,
    BackendContext,
    BackendSpec,
    NoOptions,
    WorkSpec,
    hookimpl,
)


class Application(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The jobs of a sweep.

    Attributes:
        app: The name of the Hydra application.
        overrides: The overrides that all jobs have.
    """

    app: str
    overrides: tuple[str, ...] = ()


@hookimpl
def hpo_works() -> Iterable[WorkSpec]:
    """Return the kind of work ``hydra``."""
    return [WorkSpec(name="hydra", summary="A Hydra application", options=Application)]


@hookimpl
def hpo_backends() -> Iterable[BackendSpec]:
    """Return the backend ``hydra``."""
    return [
        BackendSpec(
            name="hydra",
            summary="Jobs of a Hydra sweep, by Hydra's launcher",
            build=_build,
            works=frozenset({"hydra"}),
        )
    ]


def _build(context: BackendContext, options: NoOptions) -> Backend:
    from hpo_hydra.backend import build

    return build(context)
