"""The hooks of plugins. Mark your implementations with `hpo_core.plugin.hookimpl`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pluggy

from hpo_core.contracts.backend import BackendSpec, WorkSpec
from hpo_core.contracts.exchange import ExchangeSpec
from hpo_core.contracts.observer import Observer, ObserverSpec
from hpo_core.contracts.reader import ReaderSpec
from hpo_core.contracts.strategy import StrategySpec

PROJECT = "hpo_core"
"""The pluggy project's name, and that of the entry-point group of version 1 of the contracts."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook with the same name."""


@hookspec
def hpo_strategies() -> Iterable[StrategySpec]:  # type: ignore[empty-body]  # a specification
    """Return the strategies of this plugin. The first one is the default."""


@hookspec
def hpo_backends() -> Iterable[BackendSpec]:  # type: ignore[empty-body]  # a specification
    """Return the backends of this plugin. The first one is the default."""


@hookspec
def hpo_works() -> Iterable[WorkSpec]:  # type: ignore[empty-body]  # a specification
    """Return the kinds of work of this plugin, besides commands and functions."""


@hookspec
def hpo_observers(config: Mapping[str, Any]) -> Iterable[Observer]:  # type: ignore[empty-body]  # a specification
    """Return observers for one study.

    Args:
        config: The study's stored configuration, as plain JSON.
    """


@hookspec
def hpo_observer_specs() -> Iterable[ObserverSpec]:  # type: ignore[empty-body]  # a specification
    """Return the observers of this plugin, with their options. The first one is the default.

    A plugin with this hook needs no `hpo_observers`.
    """


@hookspec
def hpo_readers() -> Iterable[ReaderSpec]:  # type: ignore[empty-body]  # a specification
    """Return the readers of this plugin, which read metrics from the output of jobs.

    The first one is the default.
    """


@hookspec
def hpo_exchanges() -> Iterable[ExchangeSpec]:  # type: ignore[empty-body]  # a specification
    """Return the exchange of this plugin, with other programs; at most one."""
