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
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from hpo_core.plugin import run_program

WRITERS = ("tensorboardX.event_file_writer", "tensorboard.summary.writer.event_file_writer")
"""The modules whose `EventFileWriter` the writers of tensorboardX and of PyTorch use."""

SECONDS = 0.2
"""Maximum time that events are kept in memory."""


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


if __name__ == "__main__":
    run_program("hpo_tensorboard", lambda: sys.meta_path.insert(0, _Finder()))
