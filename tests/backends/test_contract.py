"""The built-in backends keep the contract of backends."""

from __future__ import annotations

from hpo_core.backends import inline, local
from hpo_core.plugin import Backend, BackendContext, NoOptions
from hpo_core.testing import BackendContract


class TestLocalWithCommands(BackendContract):
    work = "command"
    numbers_workers = True
    queues = True

    def make_backend(self, context: BackendContext) -> Backend:
        return local.build(context, NoOptions())


class TestLocalWithFunctions(BackendContract):
    work = "function"
    numbers_workers = True
    queues = True

    def make_backend(self, context: BackendContext) -> Backend:
        return local.build(context, NoOptions())


class TestInline(BackendContract):
    work = "function"
    in_process = True
    sets_variables = False

    def make_backend(self, context: BackendContext) -> Backend:
        return inline.build(context, NoOptions())
