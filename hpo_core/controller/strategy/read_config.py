"""Read a configuration from the tables of a file, and check the options of its plugins."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import StudyConfig
from hpo_core.config_file import parse
from hpo_core.controller.strategy import plugin_choices
from hpo_core.model.errors import Fault, InvalidInput, PluginError

_log = logging.getLogger("hpo_core")


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
