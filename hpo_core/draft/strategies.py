"""The strategy of a draft, and other plugins that it needs: those that are installed."""

from __future__ import annotations

from hpo_core.registry.discovery import installed

_FIRST = ("random", "optuna:tpe", "asha")


def usable_strategy() -> tuple[str, str]:
    """Return a strategy that is installed, and a question if there is none."""
    for name in _FIRST:
        if is_installed(name.partition(":")[0]):
            return name, ""
    return "random", "strategy: which one? random needs: pip install hpo-random-search"


def is_installed(plugin: str) -> bool:
    """Return whether a plugin is installed."""
    return any(found.name == plugin for found in installed())
