"""From names to plugins: checks a configuration against what is installed, and builds.

Nothing is imported but the plugins that the study names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import plugins
from hpo_core.config import StudyConfig, parse
from hpo_core.contracts.backend import Backend, BackendContext, BackendSpec
from hpo_core.contracts.strategy import Capability, Problem, Strategy, StrategySpec
from hpo_core.model.errors import (
    BackendError,
    Fault,
    HpoError,
    InvalidInput,
    PluginError,
    StrategyError,
    Unsupported,
    listed,
)
from hpo_core.model.parameters import Categorical, Int, ParameterSet
from hpo_core.plugins import Resolved


class Prepared(msgspec.Struct, frozen=True):
    """A configuration with the plugins that it names, found and checked.

    Attributes:
        config: The configuration, the plugins' default options filled in.
        strategy: The strategy's spec; None for a strategy that is given as an instance.
        strategy_options: Its options, of its own type.
        backend: The backend's spec.
        backend_options: Its options, of its own type.
    """

    config: StudyConfig
    strategy: Resolved[StrategySpec] | None
    strategy_options: Any
    backend: Resolved[BackendSpec]
    backend_options: Any

    def identities(self) -> dict[str, dict[str, str]]:
        """Return which plugins these are, as plain JSON to be stored."""
        found = {"backend": self.backend.plugin}
        if self.strategy is not None:
            found["strategy"] = self.strategy.plugin
        return {role: msgspec.to_builtins(identity) for role, identity in found.items()}

    def changed_since(self, stored: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Return a sentence for each plugin that is installed in another version than stored."""
        return [
            f"the {role} {now['name']!r} was {stored[role]['distribution']} "
            f"{stored[role]['version']} when the study began, and is now "
            f"{now['distribution']} {now['version']}; its suggestions may differ"
            for role, now in self.identities().items()
            if role in stored and dict(stored[role]) != now
        ]


def read_config(table: Mapping[str, Any], directory: Path, seed: int | None = None) -> StudyConfig:
    """Build a configuration from the tables of a file, the plugins' options checked as well.

    Args:
        table: The file's content.
        directory: What relative paths are relative to.
        seed: The seed to take if the table has none; None to draw one.

    Raises:
        InvalidInput: With every fault of the file.
        PluginError: If the configuration is right, but a plugin that it names can't be used.
    """
    config, faults = parse(table, directory, seed)
    broken: PluginError | None = None
    for role, find in (("strategy", plugins.strategy), ("backend", plugins.backend)):
        choice = table.get(role)
        name, given = (
            (choice.get("name"), choice.get("options", {}))
            if isinstance(choice, Mapping)
            else (choice, {})
        )
        if isinstance(name, str) and isinstance(given, Mapping):
            try:
                faults += plugins.options(find(name), given, f"{role}.options")[1]
            except PluginError as error:
                broken = broken or error
                faults += [Fault(role, str(error))] if faults else []
    if faults or config is None:
        raise InvalidInput(faults)
    if broken is not None:
        raise broken
    return config


def prepare(config: StudyConfig, *, strategy_is_given: bool = False) -> Prepared:
    """Find the plugins that a configuration names, and check that they suit it.

    Args:
        config: The configuration.
        strategy_is_given: Whether the strategy is an instance that is not to be looked up.

    Raises:
        PluginError: If one is missing, broken, or can't do what the study needs.
        InvalidInput: With every fault of the options.
    """
    strategy = None if strategy_is_given else plugins.strategy(config.strategy.name)
    backend = plugins.backend(config.backend.name)
    strategy_options: Any = None
    faults: list[Fault] = []
    if strategy is not None:
        strategy_options, wrong = plugins.options(
            strategy, config.strategy.options, "strategy.options"
        )
        faults += wrong
    backend_options, wrong = plugins.options(backend, config.backend.options, "backend.options")
    faults += wrong
    plugins.require(faults)
    if strategy is not None:
        _check_capabilities(config, strategy.spec)
        config = _with_options(config, "strategy", strategy_options)
    config = _with_options(config, "backend", backend_options)
    return Prepared(config, strategy, strategy_options, backend, backend_options)


def _with_options(config: StudyConfig, role: str, options: Any) -> StudyConfig:
    choice = msgspec.structs.replace(getattr(config, role), options=msgspec.to_builtins(options))
    return msgspec.structs.replace(config, **{role: choice})


def _check_capabilities(config: StudyConfig, spec: StrategySpec) -> None:
    missing = [need for need in needs(config) if need not in spec.capabilities]
    if not missing:
        return
    able = plugins.strategies_that(lambda other: needs(config) <= other.capabilities)
    raise Unsupported(
        f"the study needs {' and '.join(need.value for need in missing)}, which the strategy "
        f"{spec.name!r} does not support; installed strategies that do: {listed(able)}"
    )


def needs(config: StudyConfig) -> frozenset[Capability]:
    """Return what a study needs of its strategy."""
    space = config.space
    axes = space.parameters
    wanted = {
        Capability.CONDITIONAL: space.is_conditional,
        Capability.FORBIDDEN: bool(space.forbidden),
        Capability.INTEGERS: any(isinstance(axis, Int) for axis in axes),
        Capability.CATEGORICALS: any(isinstance(axis, Categorical | ParameterSet) for axis in axes),
        Capability.MULTI_OBJECTIVE: len(config.objectives) > 1,
    }
    return frozenset(need for need, is_needed in wanted.items() if is_needed)


def problem(config: StudyConfig) -> Problem:
    """Return what a strategy is told of a study."""
    return Problem(
        space=config.space,
        objectives=config.objectives,
        seed=config.seed,
        min_iterations=config.job.min_iterations,
        max_iterations=config.job.max_iterations,
        workers=config.workers,
    )


def build_strategy(prepared: Prepared) -> Strategy:
    """Build the strategy that a configuration names.

    Raises:
        InvalidInput: If the options don't suit the problem.
        StrategyError: If it raises anything else.
    """
    assert prepared.strategy is not None
    spec = prepared.strategy.spec
    try:
        return spec.build(problem(prepared.config), prepared.strategy_options)
    except InvalidInput as error:
        raise InvalidInput(_under_options(error)) from error
    except HpoError:
        raise
    except Exception as error:  # a plugin may raise anything
        raise StrategyError(
            f"the strategy {spec.name!r} could not be built: {type(error).__name__}: {error}"
        ) from error


def _under_options(error: InvalidInput) -> list[Fault]:
    return [
        fault if fault.path.startswith("parameters") else fault.under("strategy.options")
        for fault in error.faults
    ]


def build_backend(prepared: Prepared, context: BackendContext) -> Backend:
    """Build the backend that a configuration names.

    Raises:
        BackendError: If it can't run the study's jobs, or raises anything that is no `HpoError`.
    """
    spec = prepared.backend.spec
    try:
        return spec.build(context, prepared.backend_options)
    except HpoError:
        raise
    except Exception as error:  # a plugin may raise anything
        raise BackendError(
            f"the backend {spec.name!r} could not be built: {type(error).__name__}: {error}"
        ) from error
