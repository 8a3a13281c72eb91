"""Convert a configuration to the tables of a study file, which `hpo_core.config_file` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hpo_core.config import NEW_JOB, NEW_STUDY, PluginChoice, StudyConfig
from hpo_core.model.durations import DURATIONS, exact
from hpo_core.model.resources import Resources, as_size
from hpo_core.model.space import SearchSpace

HEADED = ("strategy", "backend", "objective", "budget", "job", "parameters.*", "forbidden")
"""The keys whose tables get headers in a file; see `hpo_core.toml_text`."""

_ORDER = (
    "name", "seed", "workers", "strategy", "backend", "observers", "job_name", "tags",
    "max_failures", "max_failures_at_start", "on_failure", "durability", "constraints", "enqueue",
    "objective", "budget", "job", "linear", "parameters", "forbidden",
)  # fmt: skip


def tables_of(config: StudyConfig) -> dict[str, Any]:
    """Return the tables of a study file for a configuration, in the customary order.

    Keys with the default value of a new study are omitted. Options of plugins are copied from the
    configuration, except those that are None.
    """
    tables = _unlike(config, NEW_STUDY)
    tables["strategy"] = _choice(config.strategy)
    if "backend" in tables:
        tables["backend"] = _choice(config.backend)
    if "observers" in tables:
        tables["observers"] = list(map(_choice, config.observers))
    if "constraints" in tables:
        tables["constraints"] = [
            each["metric"] if len(each) == 1 else each for each in map(_unlike, config.constraints)
        ]
    objectives = [_unlike(each) for each in config.objectives]
    del tables["objectives"]
    tables["objective"] = objectives[0] if len(objectives) == 1 else objectives
    tables["job"] = _with_durations(_unlike(config.job, NEW_JOB))
    if config.job.resources is not None:
        tables["job"]["resources"] = _resources(config.job.resources)
    if "budget" in tables:
        tables["budget"] = _with_durations(_unlike(config.budget))
    del tables["space"]
    tables |= _space(config.space)
    return {key: tables[key] for key in sorted(tables, key=_ORDER.index)}


def _unlike(struct: msgspec.Struct, defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the fields that differ from their defaults, as plain data.

    Args:
        struct: The struct.
        defaults: Defaults that replace those of the struct.
    """
    left_out = dict(defaults or {})
    for field in msgspec.structs.fields(struct):
        if field.default_factory is not msgspec.NODEFAULT:
            left_out.setdefault(field.name, field.default_factory())
        elif field.default is not msgspec.NODEFAULT:
            left_out.setdefault(field.name, field.default)
    return {
        name: msgspec.to_builtins(getattr(struct, name))
        for name in struct.__struct_fields__
        if name not in left_out or getattr(struct, name) != left_out[name]
    }


def _choice(choice: str | PluginChoice) -> str | dict[str, Any]:
    if isinstance(choice, str):
        return choice
    options = _without_none(choice.options)
    return {"name": choice.name, "options": options} if options else choice.name


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in options.items()
        if value is not None
    }


def _with_durations(section: Mapping[str, Any]) -> dict[str, Any]:
    return {key: exact(value) if key in DURATIONS else value for key, value in section.items()}


def _resources(resources: Resources) -> dict[str, Any]:
    table = _unlike(resources)
    if "memory" in table:
        table["memory"] = as_size(table["memory"])
    if table.get("gpus", 0.5) >= 1:
        table["gpus"] = int(table["gpus"])
    return table


def _space(space: SearchSpace) -> dict[str, Any]:
    parameters = {}
    for axis in space.parameters:
        fields = {key: value for key, value in _unlike(axis).items() if key != "name"}
        parameters[axis.name] = {"type": axis.__struct_config__.tag, **fields}
    forbidden = [msgspec.to_builtins(clause) for clause in space.forbidden]
    return {
        "parameters": parameters,
        **({"forbidden": forbidden} if forbidden else {}),
        **({"linear": list(space.linear)} if space.linear else {}),
    }
