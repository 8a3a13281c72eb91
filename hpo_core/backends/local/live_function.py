"""A function that workers cannot import, pickled; and what to say of one that can't be pickled."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

from hpo_core.backends import pickled
from hpo_core.model.errors import BackendError
from hpo_core.model.function_reference import function_name

_DEEPEST = 8
"""Maximum number of steps from a function to the value that can't be pickled."""


def send_to_memory(function: Callable[..., Any]) -> int:
    """Pickle a function for workers; return the descriptor of the pickle.

    Raises:
        BackendError: If it can't be pickled. The message names the value that prevents it.
    """
    what = f"the function {function_name(function)} can't be sent to worker processes"
    elsewhere = "or pass backend='inline'"
    try:
        return pickled.to_memory(function)
    except ModuleNotFoundError as error:
        if error.name != "cloudpickle":
            raise
        raise BackendError(
            f"{what}, since it can't be imported and cloudpickle is not installed: "
            "pip install 'hpo-core[notebook]', or define it with def at the top level of a file, "
            f"{elsewhere}"
        ) from None
    except Exception as error:
        path, value = _culprit(function)
        where = f"{path}, of the type {type(value).__qualname__}," if path else "it"
        raise BackendError(
            f"{what}: {where} can't be pickled ({type(error).__name__}: {error}); create it inside "
            f"the function, {elsewhere}"
        ) from error


def _culprit(function: object) -> tuple[str, object]:
    """Return the path and value of the innermost part that can't be pickled."""
    path, value = "", function
    for _ in range(_DEEPEST):
        for step, part in _parts(value):
            if part is not value and not pickled.can_pickle(part):
                path, value = step if not path else path + _joined(step), part
                break
        else:
            break
    return path, value


def _joined(step: str) -> str:
    return step if step.startswith("[") else f".{step}"


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Yield what a value consists of, with its name."""
    match value:
        case types.FunctionType():
            variables = inspect.getclosurevars(value)
            yield from {**variables.nonlocals, **variables.globals}.items()
            yield from (value.__kwdefaults__ or {}).items()
            yield from ((f"[default {n}]", each) for n, each in enumerate(value.__defaults__ or ()))
        case types.MethodType():
            yield "self", value.__self__
        case functools.partial():
            yield "func", value.func
            yield from ((f"[argument {n}]", each) for n, each in enumerate(value.args))
            yield from value.keywords.items()
        case dict():
            yield from ((f"[{key!r}]", each) for key, each in value.items())
        case list() | tuple():
            yield from ((f"[{n}]", each) for n, each in enumerate(value))
        case _:
            yield from getattr(value, "__dict__", {}).items()
