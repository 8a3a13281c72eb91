"""Read the options of a study's observers, and build them. Callbacks are no plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    return (None, faults) if faults else (msgspec.to_builtins(found), [])


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
