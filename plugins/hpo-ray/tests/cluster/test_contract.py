"""The contract of backends, on real actors of a real cluster."""

from __future__ import annotations

import pytest

from hpo_core.plugin import Backend, BackendContext
from hpo_core.testing import BackendContract
from hpo_ray.options import RayOptions
from hpo_ray.plugin import build


@pytest.mark.usefixtures("address")
class OnActors(BackendContract):
    quick_jobs = 200

    def make_backend(self, context: BackendContext) -> Backend:
        return build(context, RayOptions(address="auto", upload=False, host="127.0.0.1"))


class TestFunctions(OnActors):
    work = "function"


class TestCommands(OnActors):
    work = "command"
