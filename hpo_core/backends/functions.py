"""Load and call a study's Python function, in this process and in workers.

A worker imports this module first, so it imports little: the standard library and
`hpo_core.client`.
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
from hpo_core.backends.pickled import from_memory

Call: TypeAlias = Callable[[client.JobInfo], Any]
"""Calls a study's function for one job."""

SCRIPT = "__hpo_main__"
"""The module name of a script that is loaded for one of its functions, so that the code under its
``__main__`` guard is not run.
"""


def load(reference: str, directory: str) -> Callable[..., Any]:
    """Return the function that a reference names (see `hpo_core.model.function_reference`).

    Args:
        reference: ``"module:name"`` or ``"/path/script.py:name"``.
        directory: The folder that is searched for modules first.

    Raises:
        AttributeError: If the module has no such function.
        Exception: Any exception raised on import of the module.
    """
    place, _, name = reference.rpartition(":")
    _search(directory)
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
        raise TypeError(f"{reference!r} is not a function but {function!r}")
    return function


def unpickle(name: str, descriptor: int, directory: str) -> Callable[..., Any]:
    """Return a function that the controller has sent, since other processes can't import it.

    Args:
        name: Its name.
        descriptor: That of its pickle, which is closed; see `hpo_core.backends.pickled`.
        directory: The folder that is searched for modules first.

    Raises:
        ImportError: If a module that it needs starts a study when it is imported.
        Exception: Any exception raised by unpickling.
    """
    _search(directory)
    found = []
    with client.loading(name):
        found.append(from_memory(descriptor))
    if not found:
        raise ImportError(
            "a module that it needs starts a study when it is imported; put that call below "
            "if __name__ == '__main__':"
        )
    return found[0]


def _search(directory: str) -> None:
    if directory not in sys.path:
        sys.path.insert(0, directory)
    importlib.invalidate_caches()


def _import(place: str) -> None:
    """Import a module or a script. A script that starts a study is loaded only up to that point."""
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
    """Return a wrapper that calls a function for a job.

    The function is passed the configuration, and the job's `JobInfo` if it has a second positional
    parameter that has no default or is named ``job``.
    """
    if _takes_job(function):
        return lambda info: function(info.configuration, info)
    return lambda info: function(info.configuration)


def _takes_job(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins have no signature
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
    """Format an exception of a user's code: one sentence, then the traceback.

    The frames of hpo-core above the user's code are left out.
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
    """Return a text that can be stored: shortened, and valid UTF-8, unlike some file names."""
    if len(text) > most:
        half = most // 2
        text = f"{text[:half]}… ({len(text) - most:,} characters left out) …{text[-half:]}"
    return text.encode(errors="backslashreplace").decode()


def _is_machinery(file: str, here: str) -> bool:
    return file.startswith((here, "<frozen importlib"))
