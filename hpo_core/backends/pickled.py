"""Carry a function that cannot be imported to worker processes, as a pickle in memory.

The pickle is never stored: it is in an anonymous file in memory, or without a name, that only the
processes of this study can read, each through a descriptor that it was given, and it is gone with
the last of them. cloudpickle is imported only here, and only for such a function.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable
from typing import Any


def to_memory(function: Callable[..., Any]) -> int:
    """Pickle a function; return the descriptor of the pickle.

    Raises:
        ImportError: If cloudpickle is not installed.
        Exception: Any exception raised by what cannot be pickled.
    """
    import cloudpickle

    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("hpo-function")
    else:  # such as macOS
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            cloudpickle.dump(function, file)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def can_pickle(value: object) -> bool:
    """Return whether a value can be pickled."""
    import cloudpickle

    try:
        cloudpickle.dumps(value)
    except Exception:  # noqa: BLE001  # a value's own methods may raise anything
        return False
    return True


def from_memory(descriptor: int) -> Callable[..., Any]:
    """Unpickle a function that this study's controller has pickled; close the descriptor.

    Raises:
        Exception: Any exception raised by unpickling.
    """
    import cloudpickle

    try:
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as pickle:
            function: Callable[..., Any] = cloudpickle.loads(pickle)
    finally:
        os.close(descriptor)
    return function
