"""The registry: from a config string to the spec of a strategy or backend.

    discovery   which plugins are installed, from metadata alone
    registry    loads the one plugin that is asked for, in this process
    listing     looks at all of them, each in a process of its own that may fail, print or hang

A plugin is loaded alone, when its name is asked for, so that a broken one harms nobody who does
not use it. Imports the contracts and the model.
"""

from hpo_core.plugins.discovery import Identity, installed
from hpo_core.plugins.listing import Announced, Described, describe, strategies_that
from hpo_core.plugins.registry import Resolved, backend, observers, options, require, strategy

__all__ = [
    "Announced",
    "Described",
    "Identity",
    "Resolved",
    "backend",
    "describe",
    "installed",
    "observers",
    "options",
    "require",
    "strategies_that",
    "strategy",
]
