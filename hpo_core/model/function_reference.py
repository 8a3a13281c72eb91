"""References to Python functions by which other processes can import them.

``"train:fit"`` is `fit` of the module `train`. ``"/home/ann/search.py:fit"`` is `fit` of a script
that was run by its path and cannot be imported.

A *live* function has only a name, by which it is stored and compared, and cannot be imported: a
lambda, a nested function, a bound method, a callable object, or a function of an interactive
session. ``"__main__:fit"`` and ``"train:<lambda>"`` are names of live functions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any


def function_name(function: Callable[..., Any]) -> str:
    """Return the reference of a function; for a live function its name."""
    module = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None)
    if name is None:
        return f"{module}:<{type(function).__qualname__} object>"
    place = _place(module) if _is_found(function, module, name) else None
    if place is not None:
        return f"{place}:{name}"
    return f"{module}:{name}" if "<" in name or module == "__main__" else f"{module}:<{name}>"


def former_name(function: Callable[..., Any]) -> str:
    """Return the name by which earlier studies have stored a live function."""
    kind = type(function).__qualname__
    module = getattr(function, "__module__", None)
    return f"{module}:{getattr(function, '__qualname__', kind)}"


def is_importable(reference: str) -> bool:
    """Return whether a stored reference is one by which other processes can import a function."""
    module, _, name = reference.rpartition(":")
    return module != "__main__" and "<" not in name


def _is_found(function: Callable[..., Any], module: str, name: str) -> bool:
    """Return whether a function is what its module has under its name."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is function


def _place(module: str) -> str | None:
    """Return what other processes import for a module: for ``__main__`` its name or its file.

    None for an interactive session.
    """
    if module != "__main__":
        return module
    main = sys.modules["__main__"]
    if main.__spec__ is not None:  # python -m package.module
        return str(main.__spec__.name)
    path: str | None = getattr(main, "__file__", None)
    return os.path.abspath(path) if path and not path.startswith("<") else None
