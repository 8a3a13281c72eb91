"""The backend that `hpo new-backend` writes keeps the contract: `make integration-backend`."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from hpo_core.plugin import Backend, BackendContext
from hpo_core.scaffold import write_backend
from hpo_core.testing import BackendContract

_FOLDER = Path(tempfile.gettempdir()) / f"hpo-scaffold-{os.getpid()}"
if not _FOLDER.exists():
    write_backend("scaffolded", _FOLDER)
    atexit.register(shutil.rmtree, _FOLDER)
sys.path.insert(0, str(_FOLDER / "hpo-scaffolded"))

from hpo_scaffolded.options import Options  # noqa: E402  # as it was just written
from hpo_scaffolded.plugin import build  # noqa: E402


class TestFunctions(BackendContract):
    work = "function"
    quick_jobs = 20
    numbers_workers = True

    def make_backend(self, context: BackendContext) -> Backend:
        return build(context, Options())

    def make_distant_backend(self, context: BackendContext, reach: str) -> Backend:
        return build(context, Options(reach=reach))

    def lose_worker(self, handle: int) -> None:
        os.killpg(handle, signal.SIGKILL)


class TestCommands(TestFunctions):
    work = "command"
