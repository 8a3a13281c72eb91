"""Lazy loading of public names, so that importing a package is fast.

A module declares its names in a stub (``__init__.pyi``), one line ``from MODULE import NAME as
NAME`` each. Both type checkers and `attach` read the stub, so each name is declared once.

A line that ends with ``# deprecated`` declares a name that has moved to the module of the line.
``# deprecated: INSTEAD`` says what replaces it.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

KEPT_UNTIL = 2028
"""Deprecated names work at least until this year, see docs/compatibility.md."""


class _Declared(NamedTuple):
    """A line of a stub: where a name comes from, and the remedy if it is deprecated."""

    home: str
    instead: str | None


def attach(module: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return a module's ``__getattr__``, ``__dir__`` and ``__all__``.

    Deprecated names work with a `DeprecationWarning` that says what to write instead. They are in
    neither ``__dir__`` nor ``__all__``.

    Args:
        module: The name of the module; its stub lies beside it.
    """
    namespace = vars(sys.modules[module])
    declared = _read(namespace["__file__"].removesuffix(".py") + ".pyi")
    public = [name for name, (_, instead) in declared.items() if instead is None]

    def load(name: str) -> object:
        if name not in declared:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, instead = declared[name]
        if home == module:  # a module in the package
            return importlib.import_module(f"{module}.{name}")
        value = getattr(importlib.import_module(home), name)
        if instead is None:
            namespace[name] = value
        else:  # not cached, so that each use warns
            said = f"{module}.{name} is deprecated: {instead}"
            kept = f"the old name works until {KEPT_UNTIL} at least"
            warnings.warn(f"{said}; {kept}", DeprecationWarning, stacklevel=2)
        return value

    def names() -> list[str]:
        return sorted({*filter(_is_special, namespace), *public})

    return load, names, public


def _is_special(name: str) -> bool:
    return name.startswith("__")


def _read(stub: str) -> dict[str, _Declared]:
    """Return what a stub declares, by name."""
    with open(stub, encoding="utf-8") as lines:
        return dict(_declaration(line) for line in lines if line.startswith("from "))


def _declaration(line: str) -> tuple[str, _Declared]:
    code, _, comment = line.partition("#")
    _, home, _, name, *_ = code.split()
    mark, _, instead = comment.strip().partition(": ")
    if mark != "deprecated":
        return name, _Declared(home, None)
    return name, _Declared(home, instead or f"write `from {home} import {name}`")
