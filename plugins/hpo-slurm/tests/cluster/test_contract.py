"""The contract of backends, on a real Slurm."""

from __future__ import annotations

from hpo_slurm.options import SlurmOptions
from hpo_slurm.plugin import build

from hpo_core.plugin import Backend, BackendContext
from hpo_core.testing import BackendContract


class TestFunctions(BackendContract):
    work = "function"
    quick_jobs = 12

    def make_backend(self, context: BackendContext) -> Backend:
        return build(context, SlurmOptions(host="127.0.0.1", interval=1, time="10m"))


class TestCommands(TestFunctions):
    work = "command"
