"""Run a Python program whose TensorBoard events are readable at once.

``python -m hpo_tensorboard train.py --lr 0.1`` runs ``train.py``. The writers of PyTorch and
tensorboardX keep events in memory for two minutes by default, so a strategy would see the metrics
of a short job only when it ends. Here they write several times a second. The program itself is not
changed.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import os
import runpy
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

WRITERS = ("tensorboardX.event_file_writer", "tensorboard.summary.writer.event_file_writer")
"""The modules whose `EventFileWriter` the writers of tensorboardX and of PyTorch use."""

SECONDS = 0.2
"""Maximum time that events are kept in memory."""

_USAGE = "usage: python -m hpo_tensorboard [-m] SCRIPT.py|MODULE [ARGUMENT]..."


class _Finder(importlib.abc.MetaPathFinder):
    """Changes the writers when the program imports them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in WRITERS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        loader: Any = spec.loader if spec else None
        if loader is not None:
            execute = loader.exec_module

            def run(module: ModuleType) -> None:
                execute(module)
                _hasten(module)

            loader.exec_module = run
        return spec


def _hasten(module: Any) -> None:
    """Let the writers of a module flush often."""
    start = module.EventFileWriter.__init__

    @functools.wraps(start)
    def begin(
        self: Any, logdir: Any, queue: Any = 10, flush_secs: Any = 120, *more: Any, **named: Any
    ) -> None:
        queue = named.pop("max_queue_size", queue)
        start(self, logdir, queue, min(flush_secs, SECONDS), *more, **named)

    module.EventFileWriter.__init__ = begin


def main() -> None:
    """Run the program that the command line names."""
    arguments = sys.argv[1:]
    is_module = arguments[:1] == ["-m"]
    program = arguments[is_module : is_module + 1]
    if not program or (not is_module and not os.path.isfile(program[0])):
        said = f"there is no file {program[0]!r}; " if program else ""
        print(f"error: {said}{_USAGE}", file=sys.stderr)
        sys.exit(2)
    sys.meta_path.insert(0, _Finder())
    sys.argv = arguments[is_module:]
    if is_module:
        sys.path[0] = os.getcwd()
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(program[0]))
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    main()
