"""The spec of the observer, without MLflow."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import ObservedStudy, Observer, ObserverSpec, hookimpl
from hpo_mlflow.options import MlflowOptions


def _build(study: ObservedStudy, options: MlflowOptions) -> Observer:
    from hpo_mlflow.observer import MlflowObserver

    return MlflowObserver(study, options)


@hookimpl
def hpo_observer_specs() -> Iterable[ObserverSpec]:
    """Return the observer ``mlflow``."""
    return [
        ObserverSpec(
            name="mlflow",
            summary="A run of MLflow for each trial, nested in the study's",
            build=_build,
            options=MlflowOptions,
            background=True,
        )
    ]
