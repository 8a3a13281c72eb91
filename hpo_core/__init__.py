"""hpo-core: hyperparameter optimization with pluggable strategies.

    hpo_core           what runs studies: the names in ``__init__.pyi``
    hpo_core.errors    the exceptions that hpo-core raises
    hpo_core.plugin    what authors of plugins need
    hpo_core.testing   contract kits, by which authors prove their plugins

Names are loaded when they are first used, so that ``import hpo_core`` loads nothing heavy.
"""

from hpo_core.lazy import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(__name__)
__all__ += ["__version__"]
