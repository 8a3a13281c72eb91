"""The spec of the observer, without wandb."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import ObservedStudy, Observer, ObserverSpec, hookimpl
from hpo_wandb.login import require_login
from hpo_wandb.options import WandbOptions


def _build(study: ObservedStudy, options: WandbOptions) -> Observer:
    from hpo_wandb.observer import WandbObserver

    require_login(options.mode)
    return WandbObserver(study, options)


@hookimpl
def hpo_observer_specs() -> Iterable[ObserverSpec]:
    """Return the observer ``wandb``."""
    return [
        ObserverSpec(
            name="wandb",
            summary="A group of Weights & Biases, with a run for each trial",
            build=_build,
            options=WandbOptions,
            background=True,
        )
    ]
