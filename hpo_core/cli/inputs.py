"""What commands that run jobs are given: a study's file, and options that stand above it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hpo_core.cli.common import flag
from hpo_core.config import from_json
from hpo_core.controller.stored.open_study import not_larger
from hpo_core.model.budget import Budget
from hpo_core.model.durations import seconds
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.text import printable
from hpo_core.store.store import Store


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
