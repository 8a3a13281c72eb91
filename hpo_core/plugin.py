"""Authors' names: strategies, backends, observers, exchanges, and the hooks that bring them.

They are in ``plugin.pyi``, and loaded when they are first used.
"""

from hpo_core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
