"""Run a Python program with changes to its modules that it knows nothing of."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable


def run_program(runner: str, prepare: Callable[[], None]) -> None:
    """Run the program that the command line names, as ``python`` would: a script, or ``-m MODULE``.

    Args:
        runner: The module that is run with ``python -m``, for messages.
        prepare: Called before the program starts.

    Raises:
        SystemExit: With status 2 and a message on standard error, if there is no such program.
    """
    arguments = sys.argv[1:]
    is_module = arguments[:1] == ["-m"]
    program = arguments[is_module : is_module + 1]
    if not program or (not is_module and not os.path.isfile(program[0])):
        said = f"there is no file {program[0]!r}; " if program else ""
        usage = f"usage: python -m {runner} [-m] SCRIPT.py|MODULE [ARGUMENT]..."
        print(f"error: {said}{usage}", file=sys.stderr)
        sys.exit(2)
    prepare()
    sys.argv = arguments[is_module:]
    if is_module:
        sys.path[0] = os.getcwd()
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(program[0]))
        runpy.run_path(program[0], run_name="__main__")
