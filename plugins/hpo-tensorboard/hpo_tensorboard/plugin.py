"""The specs of the plugin, without tensorboardX."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import (
    JobOutput,
    MetricsReader,
    ObservedStudy,
    Observer,
    ObserverSpec,
    ReaderSpec,
    hookimpl,
)
from hpo_tensorboard.options import ObserverOptions, ReaderOptions


def _observer(study: ObservedStudy, options: ObserverOptions) -> Observer:
    from hpo_tensorboard.observer import TensorBoardObserver

    return TensorBoardObserver(study, options)


def _reader(output: JobOutput, options: ReaderOptions) -> MetricsReader:
    from hpo_tensorboard.reader import EventFilesReader

    return EventFilesReader(output, options)


@hookimpl
def hpo_observer_specs() -> Iterable[ObserverSpec]:
    """Return the observer ``tensorboard``."""
    return [
        ObserverSpec(
            name="tensorboard",
            summary="Scalars by step, and the hyperparameters of each trial",
            build=_observer,
            options=ObserverOptions,
            background=True,
        )
    ]


@hookimpl
def hpo_readers() -> Iterable[ReaderSpec]:
    """Return the reader ``tensorboard``."""
    return [
        ReaderSpec(
            name="tensorboard",
            summary="Scalars of the event files that a job writes",
            build=_reader,
            options=ReaderOptions,
        )
    ]
