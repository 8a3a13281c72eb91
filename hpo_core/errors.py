"""Public names of the exceptions that hpo-core raises; `HpoError` is the base class of all.

``errors.pyi`` declares them. They are loaded on first use.
"""

from hpo_core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
