"""Run a Python program so that each line it writes to a file is readable at once.

``python -m hpo_core.flush train.py --lr 0.1`` runs ``train.py``. Python keeps up to 8 KB of what a
program writes to a file. A job that writes its metrics to a file without ``flush()`` would
therefore be read only when it ends, too late to stop it early. The program itself is not changed.
"""

from __future__ import annotations

import builtins
import functools
import io
import pathlib
from typing import Any

from hpo_core.authoring.program import run_program

_open = io.open


@functools.wraps(_open)
def _open_by_lines(file: Any, mode: Any = "r", buffering: Any = -1, *rest: Any, **more: Any) -> Any:
    """Open a file; one that text is written to is flushed at each line end."""
    if buffering == -1 and isinstance(mode, str) and "b" not in mode and set(mode) & set("wax+"):
        buffering = 1
    return _open(file, mode, buffering, *rest, **more)


def _prepare() -> None:
    builtins.open = io.open = _open_by_lines
    if accessor := getattr(pathlib, "_NormalAccessor", None):  # Python 3.10
        accessor.open = staticmethod(_open_by_lines)


if __name__ == "__main__":
    run_program("hpo_core.flush", _prepare)
