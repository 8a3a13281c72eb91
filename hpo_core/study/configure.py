"""Build a checked configuration from a file with flags, or from Python values.

Both are converted to the tables of a study file and checked together, with all faults at once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import registry
from hpo_core.config import JobSettings, PluginChoice, StudyConfig
from hpo_core.contracts.observer import Observer
from hpo_core.controller.stored.missing import named_by_store
from hpo_core.controller.stored.open_study import not_larger
from hpo_core.controller.strategy.read_config import read_config
from hpo_core.model.budget import LIMITS, Budget
from hpo_core.model.checked import read
from hpo_core.model.durations import seconds
from hpo_core.model.errors import Fault, InvalidInput, nearest
from hpo_core.model.function_reference import former_name, function_name, is_importable
from hpo_core.study.arguments import argument_faults, told_in_python
from hpo_core.study.place import Place
from hpo_core.study_file import load

_log = logging.getLogger("hpo_core")


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """Flags that override a study file. None and empty values leave the file unchanged.

    Attributes:
        name: The study's name.
        strategy: The strategy. Options in the file for a different strategy are dropped.
        options: Options of the strategy, in addition to those in the file.
        backend: The backend.
        workers: Maximum number of jobs that run at once.
        jobs: Maximum number of jobs.
        seed: The random seed.
    """

    name: str | None = None
    strategy: str | None = None
    options: Mapping[str, Any] = {}
    backend: str | None = None
    workers: int | None = None
    jobs: int | None = None
    seed: int | None = None


def flags(above: Mapping[str, Any]) -> Flags:
    """Return the flags that override a file.

    Raises:
        InvalidInput: With all faults.
    """
    read_back, faults = read(Flags, above)
    registry.require(faults)
    assert read_back is not None
    return read_back


def from_file(path: str | os.PathLike[str], place: Place, flags: Flags) -> StudyConfig:
    """Read a study's file.

    Args:
        path: The file, TOML, JSON or YAML.
        place: Where the study is stored. Without a seed in the file, a stored study keeps its seed.
        flags: The flags that override the file.

    Raises:
        InvalidInput: With all faults of the file and the flags.
        PluginError: If the file is valid, but a plugin that it names cannot be used.
    """
    table = _with_flags(load(os.fspath(path)), flags)
    return _checked(table, Path(path).resolve().parent, place)


def from_values(place: Place, values: Mapping[str, Any]) -> StudyConfig:
    """Check Python values as keys of a study file. Values that are None are omitted.

    Args:
        place: Where the study is stored.
        values: The arguments of `Study`, except its store.

    Raises:
        InvalidInput: With every fault.
        PluginError: If the values are valid, but a plugin that they name cannot be used.
    """
    registry.require(argument_faults(values))
    table = {key: value for key, value in values.items() if value is not None}
    for key in ("constraints", "enqueue", "observers"):
        table[key] = list(table.get(key, ()))
    table["observers"] = [each for each in table["observers"] if isinstance(each, _NAMED)]
    options = {role: table.pop(key, {}) for role, key in _OPTIONS.items()}
    for role, given in options.items():
        named = isinstance(table.get(role), str)  # otherwise it is the user's strategy instance
        table[role] = {"name": table[role], "options": given} if named else PluginChoice("")
    if isinstance(table["objective"], str):
        direction = {"direction": table.pop("direction")} if "direction" in table else {}
        table["objective"] = {"metric": table["objective"], **direction}
    of_the_study = StudyConfig.__struct_fields__  # such as tags, which jobs have as well
    of_jobs = [key for key in JobSettings.__struct_fields__ if key not in of_the_study]
    job = {key: table.pop(key) for key in of_jobs if key in table}
    if callable(job.get("function")):
        stored = _stored(place, table.get("name"))
        job["function"] = name_of(job["function"], stored.job.function if stored else None)
    table["job"] = {**job, "directory": os.fspath(job.get("directory", os.getcwd()))}
    with told_in_python(values):
        return _checked(table, Path.cwd(), place)


_NAMED = (str, Mapping, PluginChoice)
"""How an observer of a plugin is given: as a name, or with options."""


def instances(observers: Iterable[Any]) -> list[Observer]:
    """Return the observers that are given as instances, not by a plugin's name."""
    return [each for each in observers if not isinstance(each, _NAMED)]


def totals(budget: Budget, limits: Mapping[str, float | str]) -> Budget:
    """Return the new totals of a budget's limits.

    Args:
        budget: The current budget.
        limits: The new total of each limit, or an increment as a string: ``"+20"``.

    Raises:
        InvalidInput: With all their faults.
    """
    if not limits:
        raise InvalidInput([Fault("", "give a limit, such as jobs=60, or jobs='+20' to add")])
    found: dict[str, Any] = {}
    faults = []
    for name, given in limits.items():
        if name not in LIMITS:
            faults.append(Fault(name, f"there is no such limit{nearest(name, LIMITS)}"))
            continue
        is_added = isinstance(given, str) and given.startswith("+")
        amount = given.removeprefix("+") if isinstance(given, str) else given
        is_time, now = name.endswith("_time"), getattr(budget, name)
        try:
            amount = seconds(amount) if is_time else int(amount)
        except ValueError:
            kind = "a duration such as 2h" if is_time else "an integer"
            faults.append(Fault(name, f"expected {kind}, or + and that to add; got {given!r}"))
            continue
        found[name] = (now or 0) + amount if is_added else amount
        if wrong := not_larger(name, now, found[name]):
            faults.append(Fault(name, wrong))
    registry.require(faults)
    return Budget(**found)


def name_of(function: Callable[..., Any], stored: str | None) -> str:
    """Return the reference or name of a function for the stored configuration.

    Args:
        function: The function.
        stored: The name in the stored study, which is kept if it is a name of an earlier kind.
    """
    name = function_name(function)
    if stored is not None and not is_importable(name) and stored == former_name(function):
        return stored
    return name


# -- parts ----------------------------------------------------------------------------------


def _stored(place: Place, name: object) -> StudyConfig | None:
    return place.config(name) if isinstance(name, str) else None


def _checked(table: Mapping[str, Any], directory: Path, place: Place) -> StudyConfig:
    name = table.get("name")
    stored = _stored(place, name) if "seed" not in table else None
    with named_by_store(place.store, str(name)):
        return read_config(table, directory, None if stored is None else stored.seed)


_OPTIONS = {"strategy": "options", "backend": "backend_options"}


def _with_flags(table: dict[str, Any], flags: Flags) -> dict[str, Any]:
    """Return the tables of a file with the flags applied.

    Invalid parts of the file are left unchanged; the reader reports them.
    """
    above = {key: getattr(flags, key) for key in ("name", "backend", "workers", "seed")}
    table = {**table, **{key: value for key, value in above.items() if value is not None}}
    budget = table.get("budget", {})
    if flags.jobs is not None and isinstance(budget, dict):
        table["budget"] = {**budget, "jobs": flags.jobs}
    choice = table.get("strategy", "")
    choice = {"name": choice} if isinstance(choice, str) else choice
    if not isinstance(choice, dict):
        return table if flags.strategy is None else {**table, "strategy": flags.strategy}
    if flags.strategy not in (None, choice.get("name")):
        if choice.get("options"):
            _log.warning(
                "the options of %r in the file are not for %r", choice.get("name"), flags.strategy
            )
        choice = {"name": flags.strategy}
    in_file = choice.get("options", {})
    if flags.options and isinstance(in_file, dict):
        choice = {**choice, "options": {**in_file, **flags.options}}
    return {**table, "strategy": choice} if choice != {"name": ""} else table
