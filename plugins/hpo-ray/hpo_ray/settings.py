"""What the driver needs to know of a study; the rest is `hpo_core.plugin.DrivenPool`'s."""

from __future__ import annotations

from typing import Any

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the driver needs to know of the study.

    Attributes:
        address: The cluster; None to start one.
        namespace: The Ray namespace of the study's actors.
        cluster: Arguments of ``ray.init`` for a cluster that is started.
        num_cpus: Number of CPUs of each worker.
        num_gpus: Number of GPUs of each worker.
        memory: Memory of each worker in bytes; None for none that is reserved.
        resources: Further resources of each worker.
        runtime_env: The runtime environment of workers.
        lock: A file that drivers and workers on this machine lock while they live; ``""`` for none.
    """

    address: str | None
    namespace: str
    cluster: dict[str, Any]
    num_cpus: float
    num_gpus: float
    memory: int | None
    resources: dict[str, float]
    runtime_env: dict[str, Any]
    lock: str = ""

    @property
    def needs(self) -> dict[str, float]:
        """The resources of a worker, by Ray's names."""
        needs = {"CPU": self.num_cpus, "GPU": self.num_gpus, "memory": float(self.memory or 0)}
        return {name: value for name, value in {**needs, **self.resources}.items() if value}
