"""Read the options of a study's observers, and build them. Callbacks are no plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hpo_core.authoring.observers import BackgroundObserver
from hpo_core.contracts.observer import ObservedStudy, Observer
from hpo_core.model.errors import BrokenPlugin, Fault, InvalidInput
from hpo_core.registry.discovery import scan
from hpo_core.registry.lookup import guarded, hooked_observers, observer
from hpo_core.registry.plugin_options import options, require
from hpo_core.registry.strategies import under


def is_callback(name: str) -> bool:
    """Return whether an observer is a function, ``"module:function"``, and not that of a plugin.

    A plugin takes precedence: ``"wandb:job"`` is a variant if a plugin ``wandb`` is installed.
    """
    head, colon, function = name.rpartition(":")
    return bool(head and colon and function) and all(
        found.identity.name != name.partition(":")[0] for found in scan()
    )


def observer_options(
    name: str, given: Mapping[str, Any], path: str
) -> tuple[dict[str, Any] | None, list[Fault]]:
    """Read the options of an observer.

    Returns:
        The options as plain JSON, every default filled in, and no faults; None for an observer
        that takes no options; or None and every fault, under `path`.

    Raises:
        PluginError: If the observer cannot be found.
    """
    resolved = None if is_callback(name) else observer(name)
    if resolved is None:
        return None, [Fault(path, f"the observer {name!r} takes no options")] if given else []
    found, faults = options(resolved, given, path)
    if faults:
        return None, faults
    plain: dict[str, Any] = msgspec.to_builtins(found)
    faults = list(_secrets(plain, path)) if resolved.spec.background else []
    return (None, faults) if faults else (plain, [])


def _secrets(tree: object, path: str) -> Iterator[Fault]:
    """Yield the addresses in options that hold credentials, which the store would keep."""
    match tree:
        case str():
            with suppress(ValueError):  # it is no address
                address = urlsplit(tree)
                if address.password or (address.scheme.startswith("http") and address.username):
                    yield Fault(
                        path,
                        "holds credentials, and options are stored; leave them out of the address, "
                        "and give them by the environment variables of the tracker",
                    )
        case Mapping():
            for key, value in tree.items():
                yield from _secrets(value, f"{path}.{key}")
        case list() | tuple():
            for place, value in enumerate(tree):
                yield from _secrets(value, f"{path}[{place}]")


def observers(name: str, given: Mapping[str, Any], study: ObservedStudy) -> list[Observer]:
    """Build the observers with a name: one, or several from the older hook.

    Raises:
        InvalidInput: If the options do not suit the study.
        PluginError: If it cannot be found, raises any other exception, or is not an observer.
    """
    resolved = observer(name)
    if resolved is None:
        return hooked_observers(name, study.config)
    found, faults = options(resolved, given, "options")
    require(faults)
    with guarded(f"the observer {name!r} could not be built"):
        try:
            built = resolved.spec.build(study, found)
        except InvalidInput as error:
            faults = under(f"the options of the observer {name!r}", error.faults)
    require(faults)
    if not callable(getattr(built, "observe", None)):
        raise BrokenPlugin(f"the plugin {name!r} built {built!r}, which has no method observe")
    return [BackgroundObserver(built, name) if resolved.spec.background else built]
