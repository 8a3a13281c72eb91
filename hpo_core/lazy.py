"""Public names that are loaded when they are first used, so that an import loads nothing heavy.

A module states them in its stub (``__init__.pyi``), one line ``from MODULE import NAME as NAME``
each. Type checkers read the stub, and so does `attach`: nothing states a name twice.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable

KEPT_UNTIL = 2028
"""Names that have moved work until this year at least, as docs/compatibility.md promises."""


def attach(
    module: str, moved_to: str = ""
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return a module's ``__getattr__``, ``__dir__`` and ``__all__``.

    Args:
        module: The module's name, which has a stub beside it.
        moved_to: A module; names that the stub takes from it are deprecated here: they work, with
            a `DeprecationWarning`, and are in neither ``__dir__`` nor ``__all__``.
    """
    namespace = vars(sys.modules[module])
    homes = _homes(namespace["__file__"].removesuffix(".py") + ".pyi")
    public = [name for name, home in homes.items() if home != moved_to]

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        if homes[name] == moved_to:  # not kept: whoever imports it is told
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
    """Return where each name of a stub is from."""
    with open(stub, encoding="utf-8") as lines:
        imports = (line.split() for line in lines if line.startswith("from "))
        return {name: home for _, home, _, name, *_ in imports}
