"""References to Python functions by which other processes can import them.

``"train:fit"`` is `fit` of the module `train`. ``"/home/ann/search.py:fit"`` is `fit` of a script
that was run by its path and cannot be imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from hpo_core.model.errors import BackendError

_REMEDY = "define it with def at the top level of a file, or pass backend='inline'"


def function_reference(function: Callable[..., Any]) -> str:
    """Return the reference of a function: ``"module:name"`` or ``"/script.py:name"``.

    Raises:
        BackendError: If another process cannot import it: a lambda, a nested function, a bound
            method, or a function defined in an interactive session.
    """
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    if not module or not name:
        raise _unsendable(function, "it has no name")
    if "<" in name:
        raise _unsendable(function, "it is a lambda or a nested function")
    found: Any = sys.modules.get(module)
    for part in str(name).split("."):
        found = getattr(found, part, None)
    if found is not function:
        raise _unsendable(function, f"{name!r} in the module {module!r} is something else")
    place = _main(function) if module == "__main__" else module
    return f"{place}:{name}"


def _main(function: Callable[..., Any]) -> str:
    """Return what other processes import for ``__main__``: a module or a script's path."""
    main = sys.modules["__main__"]
    if main.__spec__ is not None:  # python -m package.module
        return str(main.__spec__.name)
    path: str | None = getattr(main, "__file__", None)
    if not path or path.startswith("<"):
        raise _unsendable(function, "it was defined interactively, not in a file")
    return os.path.abspath(path)


def _unsendable(function: object, why: str) -> BackendError:
    return BackendError(f"{function!r} can't be sent to worker processes: {why}; {_REMEDY}")
