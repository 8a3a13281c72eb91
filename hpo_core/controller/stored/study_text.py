"""Format a stored study as a study file for ``hpo run``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import PluginChoice, StudyConfig
from hpo_core.config_tables import HEADED, tables_of
from hpo_core.model.errors import Fault, InvalidInput, PluginError
from hpo_core.model.function_reference import is_importable
from hpo_core.model.text import printable
from hpo_core.toml_text import toml_text

_HEAD = """\
# The study {name} from {store}. Omitted keys have their defaults.
# To run it again after a change, give it another name, or call: hpo run FILE --restart

"""


def study_text(config: StudyConfig, store: str, *, as_json: bool, folder: Path) -> str:
    """Format a stored configuration as a study file.

    Keys and options with default values are omitted. Options of a plugin that cannot be loaded are
    written as stored.

    Args:
        config: The configuration.
        store: The store, for the comment.
        as_json: Whether to write JSON instead of TOML.
        folder: The folder of the file.

    Raises:
        InvalidInput: If a file, or TOML, cannot express the study.
    """
    registry.require(_unsayable(config))
    strategy = _without_defaults("strategy", config.strategy)
    backend = _without_defaults("backend", config.backend)
    config = msgspec.structs.replace(config, strategy=strategy, backend=backend)
    tables = tables_of(config)
    if Path(config.job.directory) == folder.resolve():
        del tables["job"]["directory"]
    if as_json:
        return json.dumps(tables, indent=2, ensure_ascii=False) + "\n"
    try:
        head = _HEAD.format(name=printable(config.name), store=printable(store))
        return head + toml_text(tables, HEADED)
    except ValueError as error:
        raise InvalidInput([Fault("", f"{error}; write JSON: -o FILE.json")]) from None


def _unsayable(config: StudyConfig) -> list[Fault]:
    """Return the fault of a study that needs an object of a Python program."""
    faults = []
    if config.strategy.is_instance:
        message = (
            f"the study was run with an {config.strategy.name}, which a file can't name; make a "
            "plugin of it: hpo new-strategy"
        )
        faults.append(Fault("strategy", message))
    if config.job.function is not None and not is_importable(config.job.function):
        message = (
            f"the study runs {config.job.function}, which a file can't name; define the function "
            "with def at the top level of a file"
        )
        faults.append(Fault("job.function", message))
    return faults


def _without_defaults(role: str, choice: PluginChoice) -> PluginChoice:
    """Omit the options that the plugin fills in by default."""
    if choice.name.partition(":")[0] not in {plugin.name for plugin in registry.installed()}:
        return choice
    try:
        resolved = getattr(registry, role)(choice.name)
        complete, faults = registry.options(resolved, choice.options, "")
        if faults:
            return choice
        needed = _needed(choice.options, lambda rest: _reads_as(resolved, rest, complete))
    except PluginError:
        return choice
    return PluginChoice(choice.name, needed)


def _reads_as(resolved: Any, options: Mapping[str, Any], complete: object) -> bool:
    found, faults = registry.options(resolved, options, "")
    return not faults and bool(found == complete)


def _needed(
    options: Mapping[str, Any], is_enough: Callable[[Mapping[str, Any]], bool]
) -> dict[str, Any]:
    """Return the options without those, at any depth, that do not affect the result."""
    left = dict(options)
    for key, value in options.items():
        rest = {name: left[name] for name in left if name != key}
        if is_enough(rest):
            left = rest
        elif isinstance(value, Mapping):
            around = dict(left)
            left[key] = _needed(value, lambda inner: is_enough({**around, key: inner}))  # noqa: B023
    return left
