"""Lazy loading of public names, so that importing a package is fast.

A module declares its names in a stub (``__init__.pyi``), one line ``from MODULE import NAME as
NAME`` each. Both type checkers and `attach` read the stub, so each name is declared once.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable

KEPT_UNTIL = 2028
"""Moved names work at least until this year, see docs/compatibility.md."""


def attach(
    module: str, moved_to: str = ""
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return a module's ``__getattr__``, ``__dir__`` and ``__all__``.

    Args:
        module: The name of the module; its stub lies beside it.
        moved_to: A module. Names that the stub imports from it are deprecated in this one: they
            work with a `DeprecationWarning`, and are in neither ``__dir__`` nor ``__all__``.
    """
    namespace = vars(sys.modules[module])
    homes = _homes(namespace["__file__"].removesuffix(".py") + ".pyi")
    public = [name for name, home in homes.items() if home != moved_to]

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        if homes[name] == moved_to:  # not cached, so that each use warns
            said = f"{module}.{name} has moved: write `from {moved_to} import {name}`"
            kept = f"the old place works until {KEPT_UNTIL} at least"
            warnings.warn(f"{said}; {kept}", DeprecationWarning, stacklevel=2)
        else:
            namespace[name] = value
        return value

    def names() -> list[str]:
        loaded = (name for name in namespace if homes.get(name) != moved_to)
        return sorted({*loaded, *public})

    return load, names, public


def _homes(stub: str) -> dict[str, str]:
    """Return the module from which each name of a stub is imported."""
    with open(stub, encoding="utf-8") as lines:
        imports = (line.split() for line in lines if line.startswith("from "))
        return {name: home for _, home, _, name, *_ in imports}
