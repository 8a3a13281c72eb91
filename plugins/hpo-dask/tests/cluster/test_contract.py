"""The contract of backends, on real workers of a real cluster."""

from __future__ import annotations

import os
from typing import Any

import psutil
import pytest
from hpo_dask.options import DaskOptions
from hpo_dask.plugin import build

from hpo_core.plugin import Backend, BackendContext, Resources
from hpo_core.testing import BackendContract


@pytest.mark.usefixtures("address")
class TestFunctions(BackendContract):
    work = "function"
    quick_jobs = 200
    numbers_workers = True
    resources = Resources(gpus=1, cpus=1)

    def make_backend(self, context: BackendContext) -> Backend:
        return self.make_distant_backend(context, "")

    def make_distant_backend(self, context: BackendContext, reach: str) -> Backend:
        address = os.environ["DASK_SCHEDULER_ADDRESS"]
        return build(
            context, DaskOptions(address=address, upload=False, host="127.0.0.1", reach=reach)
        )

    def lose_worker(self, handle: Any) -> None:
        """Kill the Dask worker; its nanny starts another one."""
        for process in psutil.process_iter(["cmdline"]):
            if process.info["cmdline"] and handle["worker"] in process.info["cmdline"]:
                process.parent().kill()


class TestCommands(TestFunctions):
    work = "command"
