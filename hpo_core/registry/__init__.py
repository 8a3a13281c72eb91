"""The registry: from a config string to the spec of a strategy or backend.

    discovery         finds the installed plugins from metadata
    lookup            loads the requested plugin in this process
    unknown           error messages for names that no installed plugin has
    plugin_options    reads a plugin's options, and those of strategies that they name
    strategies        builds strategies from their specs
    observer_plugins  reads the options of observers, and builds them
    inventory         lists all plugins, in another process, which may fail, print or hang
    index             plugins of an index file, which need not be installed

Each plugin is loaded separately when its name is requested, so a broken plugin affects only its
users. Imports the contracts and the model.
"""

from hpo_core.registry.discovery import Identity, installed
from hpo_core.registry.inventory import (
    Announced,
    Described,
    backends_that,
    describe,
    strategies_that,
)
from hpo_core.registry.lookup import Resolved, backend, exchange, reader, strategy, work
from hpo_core.registry.observer_plugins import is_callback, observer_options, observers
from hpo_core.registry.plugin_options import as_stored, options, parts, require
from hpo_core.registry.strategies import BuiltStrategy, build, build_strategy, checked, lacks, under

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
    "is_callback",
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
