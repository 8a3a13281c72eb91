"""Public names for plugin authors: strategies, backends, observers, exchanges, and hooks.

``plugin.pyi`` declares them. They are loaded on first use.
"""

from hpo_core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
