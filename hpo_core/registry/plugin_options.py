"""Read the options of plugins, and those of the strategies that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from hpo_core.contracts.composition import StrategyChoice
from hpo_core.contracts.strategy import StrategySpec
from hpo_core.model.checked import read
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.registry.discovery import Identity
from hpo_core.registry.lookup import Resolved, strategy


def options(
    resolved: Resolved[Any], given: Mapping[str, Any], path: str
) -> tuple[Any, list[Fault]]:
    """Read a plugin's options into its options struct.

    For an option of type `StrategyChoice`, the strategy is looked up, and its options are checked
    and stored with their defaults filled in.

    Returns:
        The options and no faults; or None and every fault, under `path`.

    Raises:
        PluginError: If a strategy that they name cannot be found.
    """
    kind = resolved.spec.options
    found, faults = read(kind, _spelt_out(kind, given), path)
    if found is None:
        return None, faults
    for field, choice in _choices(found):
        complete, wrong = _completed(choice, f"{path}.{field}.options")
        faults += wrong
        found = msgspec.structs.replace(found, **{field: complete})
    return (None, faults) if faults else (found, [])


def as_stored(
    resolved: Resolved[StrategySpec], given: Mapping[str, Any], stored: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a strategy's options, completed with options that are newer than the stored study.

    Such an option has the value of the stored study or, if missing there, the value that preserves
    its behaviour; see `StrategySpec.stored_defaults`. The same applies to strategies that the
    options name.

    Args:
        resolved: The strategy.
        given: Its options as given.
        stored: Its options in the stored study; some may be missing.

    Raises:
        PluginError: If a strategy that they name can't be found.
    """
    spec = resolved.spec
    newer = {key: stored.get(key, old) for key, old in spec.stored_defaults.items()}
    completed = {**newer, **given}
    for field in msgspec.structs.fields(spec.options):
        ours, theirs = completed.get(field.name), stored.get(field.name)
        if field.type is StrategyChoice and isinstance(theirs, Mapping):
            ours = _as_choice(field.default if ours is None else ours)
            if ours["name"] == theirs["name"]:
                inner = as_stored(strategy(ours["name"]), ours["options"], theirs["options"])
                completed[field.name] = {"name": ours["name"], "options": inner}
    return completed


def _as_choice(given: Any) -> dict[str, Any]:
    """Return a strategy that options name, in any form, as a name and options."""
    plain = {"name": given} if isinstance(given, str) else msgspec.to_builtins(given)
    return {"name": "", "options": {}, **(plain if isinstance(plain, dict) else {})}


def parts(found: Any) -> Iterator[tuple[str, Identity]]:
    """Yield the plugins that options name, each with its path: ``searcher``, ``searcher.base``.

    Args:
        found: Options, as `options` returns them.

    Raises:
        PluginError: If a plugin can no longer be found.
    """
    for field, choice in _choices(found):
        resolved = strategy(choice.name)
        yield field, resolved.plugin
        inner, _ = options(resolved, choice.options, field)
        for place, identity in parts(inner):
            yield f"{field}.{place}", identity


def require(faults: Iterable[Fault]) -> None:
    """Raise `InvalidInput` if there are faults."""
    collected = list(faults)
    if collected:
        raise InvalidInput(collected)


def _spelt_out(kind: type[msgspec.Struct], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Replace a string that names a strategy by a table."""
    naming = {
        field.encode_name for field in msgspec.structs.fields(kind) if field.type is StrategyChoice
    }
    if not (naming and isinstance(given, Mapping)):
        return given
    return {
        key: {"name": value} if key in naming and isinstance(value, str) else value
        for key, value in given.items()
    }


def _choices(found: Any) -> Iterator[tuple[str, StrategyChoice]]:
    for field in getattr(found, "__struct_fields__", ()):
        if isinstance(choice := getattr(found, field), StrategyChoice):
            yield field, choice


def _completed(choice: StrategyChoice, path: str) -> tuple[StrategyChoice, list[Fault]]:
    complete, faults = options(strategy(choice.name), choice.options, path)
    return StrategyChoice(choice.name, msgspec.to_builtins(complete)), faults
