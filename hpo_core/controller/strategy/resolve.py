"""Resolve the plugins that a configuration names, and check their options.

Only the plugins that the study names are imported.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.contracts.strategy import Strategy
from hpo_core.controller.strategy import plugin_choices
from hpo_core.controller.strategy.capabilities import check_capabilities, checked_instance
from hpo_core.controller.strategy.prepared import Prepared
from hpo_core.model.errors import Fault, InvalidInput, PluginError
from hpo_core.registry import Resolved


def prepare(config: StudyConfig, given: Strategy | None = None) -> Prepared:
    """Resolve the plugins that a configuration names, and check that they suit it.

    Args:
        config: The configuration.
        given: A strategy instance to use instead of the named one.

    Raises:
        PluginError: If a plugin is missing or broken, or does not support what the study needs.
        StrategyError: If the given instance is not a strategy.
        InvalidInput: With all faults of the options.
    """
    if given is None and config.strategy.is_instance:
        raise PluginError(
            f"the study {config.name!r} was started with an {config.strategy.name}, which "
            f"only a Python program can provide: optimize(..., strategy=...)"
        )
    strategy = registry.strategy(config.strategy.name) if given is None else given
    backend = registry.backend(config.backend.name)
    strategy_options: Any = None
    options_given = config.strategy.options
    faults: list[Fault] = []
    if isinstance(strategy, Resolved):
        strategy_options, wrong = registry.options(
            strategy, config.strategy.options, "strategy.options"
        )
        faults += wrong
    backend_options, wrong = registry.options(backend, config.backend.options, "backend.options")
    faults += wrong
    registry.require(faults)
    if isinstance(strategy, Resolved):
        check_capabilities(config, strategy.spec.capabilities)
        config = _with_options(config, "strategy", strategy_options)
    else:
        checked_instance(config, strategy)
    config = _with_options(config, "backend", backend_options)
    plugin_choices.check_work(config, backend.spec)
    plugin_choices.check_resources(config, backend.spec)
    return Prepared(config, strategy, strategy_options, backend, backend_options, options_given)


def as_stored(prepared: Prepared, stored: StudyConfig) -> Prepared:
    """Return an existing study in which options newer than it do not change its behaviour.

    Args:
        prepared: The study as given.
        stored: Its configuration in the store.

    Raises:
        InvalidInput: If its options can no longer be read.
        PluginError: If a strategy that they name can't be found.
    """
    resolved, choice = prepared.strategy, prepared.config.strategy
    if not isinstance(resolved, Resolved) or choice.name != stored.strategy.name:
        return prepared
    completed = registry.as_stored(resolved, prepared.options_given, stored.strategy.options)
    options, faults = registry.options(resolved, completed, "strategy.options")
    registry.require(faults)
    config = _with_options(prepared.config, "strategy", options)
    return msgspec.structs.replace(prepared, config=config, strategy_options=options)


def completed(stored: StudyConfig, prepared: Prepared) -> StudyConfig:
    """Return a stored configuration completed with newer options."""
    stored = _with_backend_defaults(stored, prepared)
    if stored.strategy.name != prepared.config.strategy.name:
        return stored
    options = stored.strategy.options
    alone = msgspec.structs.replace(prepared, config=stored, options_given=options)
    try:
        return as_stored(alone, stored).config
    except InvalidInput:  # another plugin version: the difference is reported elsewhere
        return stored


def _with_backend_defaults(stored: StudyConfig, prepared: Prepared) -> StudyConfig:
    """Return a stored configuration in which newer options of its backend have their defaults."""
    if stored.backend.name != prepared.backend.spec.name:
        return stored
    options, faults = registry.options(prepared.backend, stored.backend.options, "")
    return stored if faults else _with_options(stored, "backend", options)


def _with_options(config: StudyConfig, role: str, options: Any) -> StudyConfig:
    plain = msgspec.to_builtins(options, order="deterministic")  # sets have no order
    choice = msgspec.structs.replace(getattr(config, role), options=plain)
    return msgspec.structs.replace(config, **{role: choice})
