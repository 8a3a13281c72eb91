"""Run a Python program so that each line it writes to a file is readable at once.

``python -m hpo_core.flush train.py --lr 0.1`` runs ``train.py``. Python keeps up to 8 KB of what a
program writes to a file. A job that writes its metrics to a file without ``flush()`` would
therefore be read only when it ends, too late to stop it early. The program itself is not changed.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import pathlib
import runpy
import sys
from typing import Any

_USAGE = "usage: python -m hpo_core.flush [-m] SCRIPT.py|MODULE [ARGUMENT]..."

_open = io.open


@functools.wraps(_open)
def _open_by_lines(file: Any, mode: Any = "r", buffering: Any = -1, *rest: Any, **more: Any) -> Any:
    """Open a file; one that text is written to is flushed at each line end."""
    if buffering == -1 and isinstance(mode, str) and "b" not in mode and set(mode) & set("wax+"):
        buffering = 1
    return _open(file, mode, buffering, *rest, **more)


def main() -> None:
    """Run the program that the command line names."""
    arguments = sys.argv[1:]
    is_module = arguments[:1] == ["-m"]
    program = arguments[is_module : is_module + 1]
    if not program or (not is_module and not os.path.isfile(program[0])):
        said = f"there is no file {program[0]!r}; " if program else ""
        print(f"error: {said}{_USAGE}", file=sys.stderr)
        sys.exit(2)
    builtins.open = io.open = _open_by_lines
    if accessor := getattr(pathlib, "_NormalAccessor", None):  # Python 3.10
        accessor.open = staticmethod(_open_by_lines)
    sys.argv = arguments[is_module:]
    if is_module:
        sys.path[0] = os.getcwd()
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(program[0]))
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    main()
