"""The contract of backends, on a real Slurm."""

from __future__ import annotations

import subprocess

from hpo_slurm.options import SlurmOptions
from hpo_slurm.plugin import build

from hpo_core.plugin import Backend, BackendContext, Resources
from hpo_core.testing import BackendContract


class TestFunctions(BackendContract):
    work = "function"
    quick_jobs = 12
    numbers_workers = True
    resources = Resources(gpus=1)

    def make_backend(self, context: BackendContext) -> Backend:
        return build(context, SlurmOptions(host="127.0.0.1", interval=1, time="10m"))

    def make_distant_backend(self, context: BackendContext, reach: str) -> Backend:
        options = SlurmOptions(host="127.0.0.1", interval=1, time="10m", reach=reach)
        return build(context, options)

    def lose_worker(self, handle: str) -> None:
        subprocess.run(["scancel", handle], check=True)


class TestCommands(TestFunctions):
    work = "command"
