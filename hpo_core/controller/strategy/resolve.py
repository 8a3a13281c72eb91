"""Resolve the plugins that a configuration names, check their options, and build them.

Only the plugins that the study names are imported.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.config_file import parse
from hpo_core.contracts.backend import Backend, BackendContext, BackendSpec, Work
from hpo_core.contracts.strategy import Capability, Problem, Strategy, StrategySpec
from hpo_core.controller.clock import SystemClock
from hpo_core.controller.strategy import plugin_choices
from hpo_core.misuse import misuses
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
from hpo_core.model.function_reference import is_importable
from hpo_core.model.text import counted
from hpo_core.registry import BuiltStrategy, Resolved
from hpo_core.store.database import MEMORY
from hpo_core.store.store import Store

_log = logging.getLogger("hpo_core")


class Prepared(msgspec.Struct, frozen=True):
    """A configuration with its resolved and checked plugins.

    Attributes:
        config: The configuration, with the plugins' default options filled in.
        strategy: The strategy's spec, or the strategy itself if given as an instance.
        strategy_options: The options, of the type that the spec declares.
        backend: The backend's spec.
        backend_options: Its options, in the type that it declares.
        options_given: The strategy's options as they were given, without defaults.
    """

    config: StudyConfig
    strategy: Resolved[StrategySpec] | Strategy
    strategy_options: Any
    backend: Resolved[BackendSpec]
    backend_options: Any
    options_given: Mapping[str, Any] = {}

    @property
    def given(self) -> Strategy | None:
        """The strategy if it is given as an instance, else None."""
        return None if isinstance(self.strategy, Resolved) else self.strategy

    @property
    def announces(self) -> bool:
        """Whether the strategy declares its capabilities. If not, it is assumed to have all."""
        return self.given is None or hasattr(self.given, "capabilities")

    def identities(self) -> dict[str, dict[str, Any]]:
        """Return the identities of the plugins as plain JSON for the store."""
        found = {"backend": self.backend.plugin}
        if isinstance(self.strategy, Resolved):
            found["strategy"] = self.strategy.plugin
            for place, identity in registry.parts(self.strategy_options):
                found[f"strategy.{place}"] = identity
        return {role: msgspec.to_builtins(identity) for role, identity in found.items()}

    def remarks(self) -> Iterator[str]:
        """Yield warnings about settings that work but are probably not intended."""
        workers, most = self.config.workers, self.backend.spec.most_workers
        if most is not None and workers > most:
            yield (
                f"workers is {workers}, but the backend {self.backend.spec.name!r} runs "
                f"{counted(most, 'job')} at a time: more workers make nothing faster, and the "
                f"strategy gets reports later; leave workers out, or choose another "
                f"backend, such as local"
            )

    def budget_remarks(self) -> Iterator[str]:
        """Yield warnings about a budget that ends before any trial is completed.

        Call it after the strategy has been built, which checks that the options suit the problem.

        Raises:
            StrategyError: If the plugin fails to count the jobs.
        """
        most, budget = self.config.job.max_iterations, self.config.budget
        if most is None:
            return
        end = f"before one trial has trained to max_iterations, {most}"
        if budget.iterations is not None and budget.iterations < most:
            yield (
                f"the budget of {counted(budget.iterations, 'iteration')} ends {end}: no trial is "
                "trained to its end; give budget.iterations more, or job.max_iterations less"
            )
        needed = self._jobs_to_complete()
        enqueued = len(self.config.enqueue)  # a budget for these alone is not for the strategy
        if budget.jobs is not None and enqueued < budget.jobs < needed:
            yield (
                f"the budget of {counted(budget.jobs, 'job')} ends {end}: the strategy "
                f"{self.config.strategy.name!r} trains a trial in several jobs, and takes {needed} "
                "or more until the first one is complete; give budget.jobs more, or "
                "job.max_iterations less"
            )

    def _jobs_to_complete(self) -> int:
        """Return the least number of jobs after which a first trial can be complete."""
        strategy, given = self.strategy, self.strategy_options
        if not isinstance(strategy, Resolved) or strategy.spec.jobs_to_complete is None:
            return 1
        try:
            return strategy.spec.jobs_to_complete(problem(self.config), given)
        except Exception as error:  # a plugin may raise any exception
            raise StrategyError(
                f"the strategy {strategy.spec.name!r} could not say how many jobs it takes to "
                f"complete a trial: {type(error).__name__}: {error}"
            ) from error

    def changed_since(self, stored: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Return a message for each plugin whose installed version differs from the stored one."""
        changes = []
        for role, now in self.identities().items():
            before = {"contract": 1, **stored.get(role, now)}  # versions without a number are 1
            if before != now:
                speaks = before["contract"] != now["contract"]
                was, is_now = (
                    f"{one['distribution']} {one['version']}"
                    + (f" (contract {one['contract']})" if speaks else "")
                    for one in (before, now)
                )
                words = role.replace(".", "'s ")
                changes.append(
                    f"the {words} {now['name']!r} was {was} when the study began, and is now "
                    f"{is_now}; its suggestions may differ"
                )
        return changes


def read_config(table: Mapping[str, Any], directory: Path, seed: int | None = None) -> StudyConfig:
    """Build a configuration from the tables of a file, and check the plugins' options.

    Args:
        table: The file's content.
        directory: The folder to which relative paths refer.
        seed: The seed to use if the table has none; None to draw one.

    Raises:
        InvalidInput: With all faults of the file.
        PluginError: If the configuration is valid, but a plugin that it names cannot be used.
    """
    config, faults = parse(table, directory, seed)
    broken: PluginError | None = None
    for role, find in (("strategy", registry.strategy), ("backend", registry.backend)):
        choice = table.get(role)
        name, given = (
            (choice.get("name"), choice.get("options", {}))
            if isinstance(choice, Mapping)
            else (choice, {})
        )
        if isinstance(name, str) and isinstance(given, Mapping):
            try:
                faults += registry.options(find(name), given, f"{role}.options")[1]
            except PluginError as error:
                broken = broken or error
                faults += [Fault(role, str(error))] if faults else []
    try:
        faults += plugin_choices.faults_of(config) if config else []
    except PluginError as error:
        broken = broken or error
    if faults or config is None:
        raise InvalidInput(faults)
    if broken is not None:
        raise broken
    return config if "workers" in table else _with_fitting_workers(config)


def _with_fitting_workers(config: StudyConfig) -> StudyConfig:
    """Return a configuration with as many workers as the backend has resources for.

    A machine that has too little for one job can read the study, and refuses to run it.
    """
    backend, resources = registry.backend(config.backend.name), config.job.resources
    if resources is None or backend.spec.capacity is None:
        return config
    plugin_choices.check_resources(config, backend.spec)
    options, faults = registry.options(backend, config.backend.options, "backend.options")
    registry.require(faults)
    try:
        return msgspec.structs.replace(config, workers=backend.spec.capacity(resources, options))
    except InvalidInput:  # said when the backend is built
        _log.warning(
            "workers is %d, since this machine has too little for a job of the study; give workers "
            "to run more jobs at a time elsewhere",
            config.workers,
        )
        return config


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
        _check_capabilities(config, strategy.spec.capabilities)
        config = _with_options(config, "strategy", strategy_options)
    else:
        _given(config, strategy)
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


def _check_capabilities(config: StudyConfig, capabilities: frozenset[Capability]) -> None:
    who = f"the strategy {config.strategy.name!r}"
    if wrong := registry.lacks(needs(config), capabilities, who):
        raise _unsupported(config, wrong)


def _unsupported(config: StudyConfig, sentence: str) -> Unsupported:
    able = registry.strategies_that(lambda other: needs(config) <= other.capabilities)
    return Unsupported(f"{sentence}; installed strategies that do: {listed(able)}")


def needs(config: StudyConfig) -> frozenset[Capability]:
    """Return the capabilities that a study needs."""
    return problem(config).needs


def problem(config: StudyConfig) -> Problem:
    """Return the problem that a study poses to its strategy."""
    return Problem(
        space=config.space,
        objectives=config.objectives,
        seed=config.seed,
        constraints=config.constraints,
        min_iterations=config.job.min_iterations,
        max_iterations=config.job.max_iterations,
        workers=config.workers,
    )


def build_strategy(prepared: Prepared) -> BuiltStrategy:
    """Build the strategy that a configuration names, unless it is given as an instance.

    Returns:
        The strategy and its capabilities: all, if it has neither a spec nor ``capabilities``.

    Raises:
        InvalidInput: If the options do not suit the problem.
        Unsupported: If it does not support what the study needs.
        StrategyError: If it raises any other exception, or is not a strategy.
    """
    if not isinstance(prepared.strategy, Resolved):
        return _given(prepared.config, prepared.strategy)
    spec = prepared.strategy.spec
    try:
        built = registry.build(spec, prepared.strategy_options, problem(prepared.config))
    except InvalidInput as error:
        raise InvalidInput(registry.under("strategy.options", error.faults)) from error
    except Unsupported as error:
        raise _unsupported(prepared.config, str(error)) from error
    _check_capabilities(prepared.config, built.capabilities)
    return built


def require_function(
    config: StudyConfig,
    function: Callable[..., Any] | None,
    store: str | os.PathLike[str] | Store | None = None,
) -> None:
    """Check that the function of a study is there.

    Args:
        config: The study.
        function: The function that jobs call, if it is given.
        store: Its store, for the message.

    Raises:
        BackendError: If it was not given, and cannot be imported.
    """
    reference = config.job.function
    if function is None and reference is not None and not is_importable(reference):
        path = store.path if isinstance(store, Store) else store
        again = "Study(function=...)"
        if path not in (None, MEMORY):
            again = f"load_study({os.fspath(path)!r}, {config.name!r}).resume(function=...)"
        raise BackendError(
            f"the study {config.name!r} calls {reference}, which cannot be imported: only the "
            f"notebook or program that defined it has it; give it again in Python: {again}"
        )


def check(config: StudyConfig, function: Callable[..., Any] | None = None) -> None:
    """Check that a new study can be run, as far as possible, by building its plugins.

    Args:
        config: The study.
        function: The function that jobs call, if ``config.job.function`` refers to it.

    Raises:
        InvalidInput: If the plugins' options are invalid or do not suit the problem, or if a
            setting has no effect.
        PluginError: If a plugin is missing or broken, or does not support what the study needs.
        StrategyError: If the strategy cannot be built.
        BackendError: If the backend cannot run the study's jobs.
    """
    prepared = prepare(config)
    registry.require(misuses(config))
    require_function(config, function)
    built = build_strategy(prepared)
    getattr(built.strategy, "close", lambda: None)()
    context = BackendContext(
        study=config.name,
        study_uid=secrets.token_hex(16),
        work=work_of(config, function),
        workers=config.workers,
        clock=SystemClock(),
        decides=Capability.STOPPING in built.capabilities,
        deliver=lambda _: None,
        resources=config.job.resources,
    )
    build_backend(prepared, context).close()


def work_of(config: StudyConfig, function: Callable[..., Any] | None = None) -> Work:
    """Return the work of a study's jobs.

    Args:
        config: The study.
        function: The function that jobs call, if ``config.job.function`` refers to it.
    """
    job, objectives = config.job, config.objectives
    kind, options = plugin_choices.work_of(job)
    return Work(
        command=job.command,
        function=job.function,
        kind=kind,
        options=options,
        callable=function,
        directory=job.directory,
        environment=plugin_choices.environment_of(job),
        metric=objectives[0].metric if len(objectives) == 1 else None,
    )


def _given(config: StudyConfig, strategy: Strategy) -> BuiltStrategy:
    """Check that an instance is a strategy with the needed capabilities."""
    built = registry.checked(config.strategy.name, strategy, frozenset(Capability))
    _check_capabilities(config, built.capabilities)
    return built


def build_backend(prepared: Prepared, context: BackendContext) -> Backend:
    """Build the backend that a configuration names.

    Raises:
        BackendError: If it cannot run the study's jobs, or raises anything other than an
            `HpoError`.
    """
    spec = prepared.backend.spec
    try:
        return spec.build(context, prepared.backend_options)
    except HpoError:
        raise
    except (Exception, SystemExit) as error:  # a plugin may raise anything
        raise BackendError(
            f"the backend {spec.name!r} could not be built: {type(error).__name__}: {error}"
        ) from error
