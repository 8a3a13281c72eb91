"""What commands that run jobs are given: a study's file, and options that stand above it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from hpo_core.cli.common import flag
from hpo_core.config import from_json
from hpo_core.engine.opening import not_larger
from hpo_core.model.budget import Budget
from hpo_core.model.durations import seconds
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.text import printable
from hpo_core.store.store import Store


def load(path: str) -> dict[str, Any]:
    """Read a study's file.

    Raises:
        InvalidInput: If it can't be read; with the place.
    """
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise InvalidInput([Fault(path, f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidInput([Fault(path, f"is not text in UTF-8: {error}")]) from error
    too_deep = InvalidInput([Fault(path, "is nested too deeply; a study needs few levels")])
    try:
        table = json.loads(text) if path.endswith(".json") else _toml(text)
    except RecursionError:
        raise too_deep from None
    except ValueError as error:
        kind = "JSON" if path.endswith(".json") else "TOML"
        raise InvalidInput([Fault(path, f"is not {kind}: {error}")]) from error
    if not isinstance(table, dict):
        raise InvalidInput([Fault(path, "must hold a table (an object, {...})")])
    if _is_deep(table):
        raise too_deep
    return table


def _is_deep(table: dict[str, Any], levels: int = 32) -> bool:
    """Say whether there are more levels than whatever looks through them later can follow."""
    level: list[Any] = [table]
    for _ in range(levels):
        level = [
            child
            for tree in level
            if isinstance(tree, dict | list)
            for child in (tree.values() if isinstance(tree, dict) else tree)
        ]
    return bool(level)


def _toml(text: str) -> dict[str, Any]:
    module = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    table: dict[str, Any] = module.loads(text)
    return table


def override(table: dict[str, Any], options: tuple[str, ...], given: dict[str, Any]) -> None:
    """Put what the command line says above what the file says.

    Raises:
        InvalidInput: If an option is not KEY=VALUE.
    """
    for key in ("backend", "workers", "seed", "name"):
        if given[key] is not None:
            table[key] = given[key]
    budget = table.get("budget", {})
    if given["jobs"] is not None and isinstance(budget, dict):
        table["budget"] = {**budget, "jobs": given["jobs"]}
    if given["strategy"] not in (None, _name(table.get("strategy"))):
        _drop_options(table, given["strategy"])
        table["strategy"] = given["strategy"]
    if options:
        changes = dict(map(option, options))
        choice = table.get("strategy", "")
        choice = {"name": choice} if isinstance(choice, str) else choice
        in_file = choice.get("options", {}) if isinstance(choice, dict) else None
        if isinstance(in_file, dict):  # what is not as it should be is left for `parse` to say
            table["strategy"] = {**choice, "options": {**in_file, **changes}}


def _name(choice: object) -> object:
    return choice.get("name") if isinstance(choice, dict) else choice


def _drop_options(table: dict[str, Any], strategy: str) -> None:
    """Say so if the file's options are for another strategy than the one given here."""
    choice = table.get("strategy")
    if isinstance(choice, dict) and choice.get("options"):
        message = (
            f"note: the options of {choice.get('name')!r} in the file are not for {strategy!r}"
        )
        print(printable(message), file=sys.stderr)


def option(text: str) -> tuple[str, Any]:
    """Read ``KEY=VALUE``: the value as JSON if it is JSON, else as the text that it is.

    Raises:
        InvalidInput: If there is no ``=``.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput([Fault(f"-o {text}", "expected KEY=VALUE, such as -o points=5")])
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def stored_seed(table: dict[str, Any], store_path: str) -> int | None:
    """Return the seed of the stored study, so that a file without one carries it on."""
    name = table.get("name")
    if "seed" in table or not isinstance(name, str) or not Path(store_path).exists():
        return None
    with Store(store_path) as store:
        found = store.find(name)
    return None if found is None else from_json(found.config).seed


def totals(budget: Budget, limits: dict[str, str]) -> Budget:
    """Return limits given as a new total or as ``+N`` as the new totals of a budget.

    Raises:
        InvalidInput: With everything that is wrong with them.
    """
    if not limits:
        raise InvalidInput([Fault("", "give a limit, such as --jobs 60, or --jobs +20 to add")])
    found: dict[str, Any] = {}
    faults = []
    for name, text in limits.items():
        is_time, words = name.endswith("_time"), text.removeprefix("+")
        try:
            amount = seconds(words) if is_time else int(words)
        except ValueError:
            kind = "a duration such as 2h" if is_time else "a whole number"
            faults.append(Fault(flag(name), f"expected {kind}, or + and that to add; got {text!r}"))
            continue
        now = getattr(budget, name)
        found[name] = (now or 0) + amount if text.startswith("+") else amount
        if wrong := not_larger(name, now, found[name]):
            faults.append(Fault(flag(name), wrong))
    if faults:
        raise InvalidInput(faults)
    return Budget(**found)
