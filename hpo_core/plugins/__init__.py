"""The registry: from a config string to the spec of a strategy or backend.

    discovery   which plugins are installed, from metadata alone
    registry    loads the one plugin that is asked for, in this process
    unknown     what is said of a name that no installed plugin has
    reading     reads a plugin's options, and those of strategies that it names in turn
    building    makes strategies of their specs
    observing   reads the options of observers, and builds them
    listing     looks at all of them, each in its own process that may fail, print or hang

A plugin is loaded alone, when its name is asked for, so that a broken one harms nobody who does
not use it. Imports the contracts and the model.
"""

from hpo_core.plugins.building import BuiltStrategy, build, build_strategy, checked, lacks, under
from hpo_core.plugins.discovery import Identity, installed
from hpo_core.plugins.listing import (
    Announced,
    Described,
    backends_that,
    describe,
    strategies_that,
)
from hpo_core.plugins.observing import observer_options, observers
from hpo_core.plugins.reading import as_stored, options, parts, require
from hpo_core.plugins.registry import Resolved, backend, exchange, reader, strategy, work

__all__ = [
    "Announced",
    "BuiltStrategy",
    "Described",
    "Identity",
    "Resolved",
    "as_stored",
    "backend",
    "backends_that",
    "build",
    "build_strategy",
    "checked",
    "describe",
    "exchange",
    "installed",
    "lacks",
    "observer_options",
    "observers",
    "options",
    "parts",
    "reader",
    "require",
    "strategies_that",
    "strategy",
    "under",
    "work",
]
