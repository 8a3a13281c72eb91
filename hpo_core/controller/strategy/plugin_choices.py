"""Plugins of a study besides strategy and backend: observers, a reader, a kind of work.

Each is given as a name or with options. This module reads their options and builds them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.authoring.observers import BackgroundObserver, JobCallback
from hpo_core.backends import functions
from hpo_core.config import JobSettings, PluginChoice, StudyConfig, texts
from hpo_core.contracts.backend import BackendSpec
from hpo_core.contracts.observer import ObservedStudy, Observer
from hpo_core.contracts.reader import JobOutput, MetricsReader
from hpo_core.model.errors import Fault, Unsupported, listed
from hpo_core.model.function_reference import is_importable
from hpo_core.model.job import Job
from hpo_core.model.placeholders import placeholder_values, values_of
from hpo_core.model.templates import template
from hpo_core.model.values import as_plain_text
from hpo_core.readers.columns import Columns
from hpo_core.readers.file import FileReader
from hpo_core.readers.output import OutputReader
from hpo_core.registry import Resolved
from hpo_core.store.database import MEMORY


def with_options(config: StudyConfig) -> StudyConfig:
    """Return a configuration in which the options of these plugins are complete.

    Raises:
        PluginError: If one of them is missing or broken.
        InvalidInput: With all faults of their options.
    """
    completed, faults = _completed(config)
    registry.require(faults)
    return completed


def faults_of(config: StudyConfig) -> list[Fault]:
    """Return the faults of the options of these plugins.

    Raises:
        PluginError: If one of them is missing or broken.
    """
    return _completed(config)[1]


def _completed(config: StudyConfig) -> tuple[StudyConfig, list[Fault]]:
    observers, faults = [], []
    for place, choice in enumerate(config.observers):
        observer, wrong = _observer(choice, f"observers[{place}]")
        observers.append(observer)
        faults += wrong
    job = config.job
    for key, find in (("metrics_reader", registry.reader), ("work", registry.work)):
        if (given := getattr(job, key)) is not None:
            complete, wrong = _option_of(find, given, f"job.{key}")
            faults += wrong
            if not wrong:
                job = msgspec.structs.replace(job, **{key: complete})
    return msgspec.structs.replace(config, observers=tuple(observers), job=job), faults


def _option_of(
    find: Callable[[str], Resolved[Any]], choice: str | PluginChoice, path: str
) -> tuple[PluginChoice, list[Fault]]:
    name, given = _named(choice)
    options, faults = registry.options(find(name), given, f"{path}.options")
    return PluginChoice(name, {} if faults else msgspec.to_builtins(options)), faults


def _observer(choice: str | PluginChoice, path: str) -> tuple[str | PluginChoice, list[Fault]]:
    """Return an observer with all its options, or its name if it has none, and all faults."""
    name, given = _named(choice)
    options, faults = registry.observer_options(name, given, f"{path}.options")
    return (name if options is None else PluginChoice(name, options)), faults


def _named(choice: str | PluginChoice) -> tuple[str, dict[str, Any]]:
    return (choice, {}) if isinstance(choice, str) else (choice.name, choice.options)


# -- building ----------------------------------------------------------------------------------


def reader_of(config: StudyConfig) -> Callable[..., MetricsReader] | None:
    """Return a function that builds the reader of a job; None if jobs report by themselves.

    Args:
        config: The study, with complete options of its reader.

    Raises:
        PluginError: If the reader is missing or broken.
    """
    job = config.job
    metrics = [each.metric for each in config.objectives]
    metrics += [each.metric for each in config.constraints]
    needed = tuple(dict.fromkeys(metrics))
    if job.metrics_file is not None:
        return partial(_file_reader, job, job.metrics_file, needed)
    if job.metrics:
        return partial(_output_reader, job)
    choice = job.metrics_reader
    if not isinstance(choice, PluginChoice):
        return None
    resolved = registry.reader(choice.name)
    options, faults = registry.options(resolved, choice.options, "job.metrics_reader.options")
    registry.require(faults)

    def make(one: Job, *, is_adopted: bool) -> MetricsReader:
        output = JobOutput(job=one, directory=job.directory, metrics=needed)
        return resolved.spec.build(output, options)

    return make


def _output_reader(settings: JobSettings, job: Job, *, is_adopted: bool) -> MetricsReader:
    return OutputReader(job.log, settings.metrics, settings.iteration)


def _file_reader(
    settings: JobSettings, file: str, needed: Iterable[str], job: Job, *, is_adopted: bool
) -> MetricsReader:
    path = template(file).render(placeholder_values(job), as_plain_text)
    return FileReader(
        os.path.join(settings.directory, path),
        Columns(settings.metrics, needed, settings.iteration),
        memo=f"{job.log}.before",
        recorded=job.reports if is_adopted else None,
    )


def build_observers(config: StudyConfig, store: str) -> list[Observer]:
    """Build the observers that a configuration names.

    Args:
        config: The study, with complete options of its observers.
        store: The path of its store, or ``MEMORY``.

    Raises:
        InvalidInput: If their options do not suit the study, or a callback can't be loaded.
        PluginError: If one is missing, broken, or raises anything else.
    """
    study = ObservedStudy(
        name=config.name,
        config=msgspec.to_builtins(config),
        store=None if store == MEMORY else store,
    )
    found: list[Observer] = []
    faults = []
    for place, choice in enumerate(config.observers):
        name, options = _named(choice)
        if not registry.is_callback(name):
            found += registry.observers(name, options, study)
            continue
        try:
            function = functions.load(name, config.job.directory)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a module may raise anything
            faults.append(Fault(f"observers[{place}]", _not_loaded(name, error)))
        else:
            found.append(BackgroundObserver(JobCallback(function), name))
    registry.require(faults)
    return found


def _not_loaded(name: str, error: BaseException) -> str:
    head = name.partition(":")[0]
    said = f"the function {name!r} can't be loaded: {type(error).__name__}: {error}"
    return f"{said}; a plugin {head!r} is not installed either"


def work_of(job: JobSettings) -> tuple[str | None, Any]:
    """Return the kind of work that a job runs, and its options; None for a command or a function.

    Raises:
        PluginError: If the kind is missing or broken.
    """
    if job.work is None:
        return None, None
    name, given = _named(job.work)
    options, faults = registry.options(registry.work(name), given, "job.work.options")
    registry.require(faults)
    return name, options


def environment_of(job: JobSettings) -> dict[str, str]:
    """Return the variables that a study sets for its jobs.

    Python keeps back what it prints to a file, so that lines come late or, of a job that is
    killed, never: where they are to be read it is told not to.
    """
    if job.command is None or not job.metrics or job.metrics_file is not None:
        return job.environment
    return {"PYTHONUNBUFFERED": "1", **job.environment}


def check_work(config: StudyConfig, backend: BackendSpec) -> None:
    """Check that a backend supports a study's kind of work.

    Raises:
        Unsupported: If it does not. The message names backends that do.
    """
    function = config.job.function
    if function is not None and not is_importable(function) and not backend.live_functions:
        able = registry.backends_that(lambda other: other.live_functions)
        raise Unsupported(
            f"the backend {backend.name!r} imports a function in other processes, which cannot "
            f"import {function}; define it with def at the top level of a file, or choose a "
            f"backend that runs it: {listed(able)}"
        )
    if config.job.work is None:
        return
    name, _ = _named(config.job.work)
    if name not in backend.works:
        able = registry.backends_that(lambda other: name in other.works)
        raise Unsupported(
            f"the backend {backend.name!r} does not run work of the kind {name!r}; installed "
            f"backends that do: {listed(able)}"
        )


def check_resources(config: StudyConfig, backend: BackendSpec) -> None:
    """Check that a backend gives jobs the resources that they need, and tells them which.

    Raises:
        Unsupported: If it does not. The message names backends that do.
    """
    used = texts(config.job, config.job_name, values_of(config.space.parameters)).of_machine()
    for name, path in used.items():
        if name not in backend.placeholders:
            raise Unsupported(
                f"{path}: the backend {backend.name!r} does not fill in {{{name}}}; leave it out"
            )
    needed = () if config.job.resources is None else config.job.resources.names
    lacking = [f"job.resources.{name}" for name in needed if name not in backend.resources]
    if lacking:
        able = registry.backends_that(lambda other: other.resources.issuperset(needed))
        raise Unsupported(
            f"the backend {backend.name!r} does not support {listed(lacking)}; leave it out, or "
            f"choose a backend that does; installed: {listed(able)}"
        )
