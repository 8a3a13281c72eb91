"""Finding a study's Python function and calling it, alike in this process and in a worker's.

A worker process imports this before anything else can be done, so it imports little: the standard
library and `hpo_core.client`.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeAlias

from hpo_core import client

Call: TypeAlias = Callable[[client.JobInfo], Any]
"""Calls a study's function for one job."""

SCRIPT = "__hpo_main__"
"""The module name of a script that is loaded for a function of it: its ``__main__`` guard holds."""


def load(reference: str, directory: str) -> Callable[..., Any]:
    """Return the function that a reference names (see `hpo_core.model.function_reference`).

    Args:
        reference: ``"module:name"`` or ``"/path/script.py:name"``.
        directory: Where modules are looked for first.

    Raises:
        AttributeError: If the module has no such function.
        Exception: Whatever the module raises on being imported.
    """
    place, _, name = reference.rpartition(":")
    if directory not in sys.path:
        sys.path.insert(0, directory)
    importlib.invalidate_caches()
    with client.loading(reference):
        _import(place)
    module = sys.modules[SCRIPT if place.endswith(".py") else place]
    try:
        function = functools.reduce(getattr, name.split("."), module)
    except AttributeError:
        raise AttributeError(
            f"{place!r} has no function {name!r}; define it at the top level of the file, above "
            "the call that starts the study"
        ) from None
    if not callable(function):
        raise TypeError(f"{reference!r} is no function but {function!r}")
    return function


def _import(place: str) -> None:
    """Import a module or a script; one that ends its own loading stays, as far as it came."""
    if place in sys.modules:
        return
    spec: ModuleSpec | None
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location(SCRIPT, place)
    else:
        spec = importlib.util.find_spec(place)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"no module named {place!r}; looked for it in {sys.path[0]}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except client.LoadingEnds:
        raise
    except BaseException:
        del sys.modules[spec.name]
        raise
    _bind_to_parent(spec.name, module)


def _bind_to_parent(name: str, module: ModuleType) -> None:
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


def caller(function: Callable[..., Any]) -> Call:
    """Return how to call a function for a job.

    It gets the configuration, and the job's `JobInfo` if it has a second positional parameter
    that needs a value or is called ``job``.
    """
    if _takes_job(function):
        return lambda info: function(info.configuration, info)
    return lambda info: function(info.configuration)


def _takes_job(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins tell nothing of their parameters
        return False
    positional = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(positional) < 2:
        return False
    return positional[1].default is inspect.Parameter.empty or positional[1].name == "job"


def described(error: BaseException) -> str:
    """Return an error of a user's code for people: a sentence, then where it came from.

    hpo-core's own frames, those above the user's code, are left out.
    """
    sentence = "".join(traceback.format_exception_only(type(error), error)).strip()
    below = error.__traceback__
    here = os.path.dirname(__file__)
    while below is not None and _is_machinery(below.tb_frame.f_code.co_filename, here):
        below = below.tb_next
    if below is None:
        return shortened(sentence)
    shown = "".join(traceback.format_exception(type(error), error, below)).strip()
    return f"{shortened(sentence)}\n\n{shortened(shown)}"


def shortened(text: str, most: int = 4000) -> str:
    """Return a text that can be stored: not too long, and in UTF-8 (file names need not be)."""
    if len(text) > most:
        half = most // 2
        text = f"{text[:half]}… ({len(text) - most:,} characters left out) …{text[-half:]}"
    return text.encode(errors="backslashreplace").decode()


def _is_machinery(file: str, here: str) -> bool:
    return file.startswith((here, "<frozen importlib"))
