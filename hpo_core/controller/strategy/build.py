"""Build the strategy and the backend of a study."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Any

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.contracts.backend import Backend, BackendContext, Work
from hpo_core.contracts.strategy import Capability
from hpo_core.controller.clock import SystemClock
from hpo_core.controller.strategy import plugin_choices
from hpo_core.controller.strategy.capabilities import (
    check_capabilities,
    checked_instance,
    problem,
    unsupported,
)
from hpo_core.controller.strategy.prepared import Prepared
from hpo_core.controller.strategy.resolve import prepare
from hpo_core.misuse import misuses
from hpo_core.model.errors import (
    BackendError,
    HpoError,
    InvalidInput,
    Unsupported,
)
from hpo_core.model.function_reference import is_importable
from hpo_core.registry import BuiltStrategy, Resolved
from hpo_core.store.database import MEMORY
from hpo_core.store.store import Store


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
        return checked_instance(prepared.config, prepared.strategy)
    spec = prepared.strategy.spec
    try:
        built = registry.build(spec, prepared.strategy_options, problem(prepared.config))
    except InvalidInput as error:
        raise InvalidInput(registry.under("strategy.options", error.faults)) from error
    except Unsupported as error:
        raise unsupported(prepared.config, str(error)) from error
    check_capabilities(prepared.config, built.capabilities)
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
