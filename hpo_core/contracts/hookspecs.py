"""The hooks by which a plugin says what it brings. Mark yours with `hpo_core.plugin.hookimpl`."""

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
"""Marks a plugin's function as the implementation of the hook of that name."""


@hookspec
def hpo_strategies() -> Iterable[StrategySpec]:  # type: ignore[empty-body]  # a specification
    """Return the strategies that this plugin brings; the first one is its default."""


@hookspec
def hpo_backends() -> Iterable[BackendSpec]:  # type: ignore[empty-body]  # a specification
    """Return the backends that this plugin brings; the first one is its default."""


@hookspec
def hpo_works() -> Iterable[WorkSpec]:  # type: ignore[empty-body]  # a specification
    """Return the kinds of work that this plugin brings, beside commands and functions."""


@hookspec
def hpo_observers(config: Mapping[str, Any]) -> Iterable[Observer]:  # type: ignore[empty-body]  # a specification
    """Return observers for one study.

    Args:
        config: The study's stored configuration, as plain JSON.
    """


@hookspec
def hpo_observer_specs() -> Iterable[ObserverSpec]:  # type: ignore[empty-body]  # a specification
    """Return the observers that this plugin brings, with their options; the first is its default.

    A plugin with this hook needs no `hpo_observers`.
    """


@hookspec
def hpo_readers() -> Iterable[ReaderSpec]:  # type: ignore[empty-body]  # a specification
    """Return what reads jobs' metrics from what they leave behind; the first is the default."""


@hookspec
def hpo_exchanges() -> Iterable[ExchangeSpec]:  # type: ignore[empty-body]  # a specification
    """Return what writes studies for other programs, and reads them; one at the most."""
