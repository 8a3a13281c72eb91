"""Convert the tables of a study file to a configuration, or to a list of all faults."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hpo_core.config import (
    JobSettings,
    PluginChoice,
    StudyConfig,
    range_faults,
    texts,
)
from hpo_core.misuse import misuses_of
from hpo_core.model.budget import Budget
from hpo_core.model.checked import read, read_value
from hpo_core.model.constraint import Constraint
from hpo_core.model.durations import DURATIONS, seconds
from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Parameter
from hpo_core.model.placeholders import values_of
from hpo_core.model.resources import in_bytes
from hpo_core.model.space import SearchSpace


def parse(
    table: Mapping[str, Any], directory: Path, seed: int | None = None
) -> tuple[StudyConfig | None, list[Fault]]:
    """Build a configuration from the tables of a file.

    Args:
        table: The content of the file, see ``docs/configuration.md``. In Python, values may already
            be objects: an `Objective`, a `Budget`, a `SearchSpace` or a list of parameters.
        directory: The folder to which relative paths refer: the folder of the file.
        seed: The seed to use if the table has none; None to draw one.

    Returns:
        The configuration and no faults, or None and every fault of the file.
    """
    faults = _unknown_keys(table)
    values: dict[str, Any] = {}

    def take(key: str, field: str, kind: Any, value: object) -> None:
        read_back, wrong_here = read_value(kind, value, key)
        faults.extend(wrong_here)
        if not wrong_here:
            values[field] = read_back

    kinds = {field.name: field.type for field in msgspec.structs.fields(StudyConfig)}
    for key in _PLAIN_KEYS:
        if key in table:
            take(key, key, kinds[key], table[key])
    if "seed" not in table:
        values["seed"] = int.from_bytes(os.urandom(4), "big") if seed is None else seed
    for key in ("strategy", "backend"):
        if key in table:
            choice = table[key]
            choice = {"name": choice} if isinstance(choice, str) else choice
            if isinstance(choice, Mapping | PluginChoice):
                take(key, key, PluginChoice, choice)
            else:
                faults.append(Fault(key, f"expected text or a table, got {choice!r}"))
    for key, kind in (("budget", Budget), ("job", JobSettings)):
        if key in table:
            section, wrong_units = _in_units(table[key], key)
            faults += wrong_units
            take(key, key, kind, section)
    if "objective" in table:
        objectives = table["objective"]
        if isinstance(objectives, Objective):
            objectives = [objectives]
        if isinstance(objectives, list | tuple):
            take("objective", "objectives", tuple[Objective, ...], objectives)
        else:
            objective, wrong_objective = read(Objective, objectives, "objective")
            faults += wrong_objective
            if objective is not None:
                values["objectives"] = (objective,)
    if "constraints" in table:
        given = table["constraints"]
        if isinstance(given, list | tuple):  # a metric's name without a bound has the bound 0
            given = [{"metric": one} if isinstance(one, str) else one for one in given]
        take("constraints", "constraints", tuple[Constraint, ...], given)
    space, wrong_space = _space(table)
    faults += wrong_space
    values["space"] = space
    required = ("name", "strategy", "objective", "job", "parameters")
    faults += [Fault(key, f"missing; {_REQUIRED[key]}") for key in required if key not in table]

    if "job" in values:
        folder = directory / values["job"].directory
        if os.path.isdir(folder):
            values["job"] = msgspec.structs.replace(values["job"], directory=str(folder.resolve()))
            address = values["job"].checkpoints
            if address and "://" not in address:  # a folder
                absolute = str((directory / address).resolve())
                values["job"] = msgspec.structs.replace(values["job"], checkpoints=absolute)
        else:
            faults.append(Fault("job.directory", f"there is no folder {os.fspath(folder)!r}"))
    told = {fault.path for fault in faults}
    faults += (fault for fault in _not_json(table, "") if fault.path not in told)
    if faults:
        faults += range_faults(values)
        if "job" in values and isinstance(table.get("parameters"), Mapping):
            known = (
                values_of(space.parameters)
                if space
                else dict.fromkeys(_names(table["parameters"]), ())
            )
            faults += texts(values["job"], str(table.get("job_name", "")), known).faults()
        faults += misuses_of(values)
        return None, faults
    try:
        return StudyConfig(**values), []
    except InvalidInput as error:
        return None, list(error.faults)


_PLAIN_KEYS = (
    "name", "seed", "workers", "observers", "job_name", "tags", "max_failures",
    "max_failures_at_start", "on_failure", "enqueue", "durability",
)  # fmt: skip
_KEYS = (
    *_PLAIN_KEYS, "strategy", "backend", "objective", "constraints", "budget", "job", "parameters",
    "forbidden", "linear",
)  # fmt: skip
_REQUIRED = {
    "name": "name the study",
    "strategy": 'choose one, such as strategy = "random"',
    "objective": "say which metric counts, in a table [objective]",
    "job": "say what to run, in a table [job]",
    "parameters": "give at least one, in a table [parameters.NAME]",
}


def _unknown_keys(table: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(str(key), f"unknown key{nearest(str(key), _KEYS) or '; known: ' + ', '.join(_KEYS)}")
        for key in table
        if key not in _KEYS
    ]


def _in_units(section: object, path: str) -> tuple[object, list[Fault]]:
    """Return a section with its durations in seconds, and its memory in bytes."""
    if not isinstance(section, Mapping):
        return section, []
    converted, faults = dict(section), []
    for key in DURATIONS:
        if key in converted:
            try:
                converted[key] = seconds(converted[key])
            except ValueError as error:
                faults.append(Fault(f"{path}.{key}", str(error)))
                del converted[key]
    try:
        if "resources" in converted:
            converted["resources"] = in_bytes(converted["resources"])
    except InvalidInput as error:
        faults += [fault.under(f"{path}.resources") for fault in error.faults]
        del converted["resources"]
    return converted, faults


def _space(table: Mapping[str, Any]) -> tuple[SearchSpace | None, list[Fault]]:
    if "parameters" not in table:
        return None, []
    given = table["parameters"]
    if isinstance(given, SearchSpace):
        message = "is part of the SearchSpace; give it there"
        return given, [Fault(key, message) for key in _EXCLUSIONS if key in table]
    if isinstance(given, list | tuple):
        return _space_of(given, table)
    if not isinstance(given, Mapping):
        return None, [Fault("parameters", "expected tables [parameters.NAME]")]
    parameters, faults = [], []
    for name, section in table["parameters"].items():
        path = f"parameters.{name}"
        if isinstance(section, Mapping) and "name" in section:
            faults.append(
                Fault(
                    f"{path}.name",
                    "unknown key; the name of the table is the name of the parameter",
                )
            )
            section = {key: value for key, value in section.items() if key != "name"}
        named = {**section, "name": name} if isinstance(section, Mapping) else section
        parameter, wrong_here = read_value(Parameter, named, path)
        parameters.append(parameter)
        faults += wrong_here
    exclusions, wrong_here = _exclusions(table)
    faults += wrong_here
    if faults:
        return None, faults + list(_unknown_names(table))
    try:
        return SearchSpace(tuple(parameters), **exclusions), []
    except InvalidInput as error:
        return None, list(error.faults)


_EXCLUSIONS = ("forbidden", "linear")


def _exclusions(table: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return the forbidden combinations and the linear inequalities of a study."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(SearchSpace)}
    found, faults = {}, []
    for key in _EXCLUSIONS:
        if key in table:
            found[key], wrong_here = read_value(kinds[key], table[key], key)
            faults += wrong_here
    return found, faults


def _space_of(
    given: Sequence[object], table: Mapping[str, Any]
) -> tuple[SearchSpace | None, list[Fault]]:
    """Return the space of parameters given as Python objects."""
    parameters, faults = read_value(tuple[Parameter, ...], given, "parameters")
    exclusions, wrong_here = _exclusions(table)
    if faults or wrong_here:
        return None, faults + wrong_here
    try:
        return SearchSpace(parameters, **exclusions), []
    except InvalidInput as error:
        return None, list(error.faults)


def _unknown_names(table: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the conditions and forbidden combinations that name an unknown parameter.

    Used when some tables are invalid; a complete `SearchSpace` performs more checks.
    """
    names = list(_names(table["parameters"]))
    tables = {
        f"parameters.{name}.when": section.get("when")
        for name, section in table["parameters"].items()
        if isinstance(section, Mapping)
    }
    forbidden = table.get("forbidden")
    if isinstance(forbidden, list):
        tables |= {f"forbidden[{index}]": clause for index, clause in enumerate(forbidden)}
    for path, given in tables.items():
        for name in given if isinstance(given, Mapping) else ():
            if name not in names:
                yield Fault(
                    f"{path}.{name}", f"there is no parameter {name!r}{nearest(name, names)}"
                )


def _not_json(tree: object, path: str) -> Iterator[Fault]:
    """Yield the values that cannot be stored as JSON: dates and lone surrogates."""
    if isinstance(tree, str):
        try:
            tree.encode()
        except UnicodeEncodeError:
            yield Fault(path, f"is not text: half a character stands alone in {tree!r}")
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _not_json(key, path)
            yield from _not_json(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, datetime.date | datetime.time):
        yield Fault(path, f"expected no date or time; write it as text, in quotes: '{tree}'")
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _not_json(value, f"{path}[{index}]")


def _names(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that parameters set, as far as their tables are valid."""
    for name, section in parameters.items():
        yield name
        combinations = section.get("combinations") if isinstance(section, Mapping) else None
        if isinstance(combinations, list) and combinations and isinstance(combinations[0], Mapping):
            yield from combinations[0]
