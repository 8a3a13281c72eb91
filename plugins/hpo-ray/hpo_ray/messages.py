"""What the backend and its driver say to each other, each message a line of JSON.

The driver reads `Settings`, and answers with Ready or Failed. Then it reads Start, End and
Find, and says Ended for each worker, and Found. It ends when its standard input is closed.
"""

from __future__ import annotations

from typing import Any, TypeAlias

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


class Start(msgspec.Struct, frozen=True, tag=True):
    """Start workers: their orders, by name."""

    orders: dict[str, str]


class End(msgspec.Struct, frozen=True, tag=True):
    """End workers."""

    names: list[str]


class Find(msgspec.Struct, frozen=True, tag=True):
    """Find the workers of an earlier controller, and end all but some."""

    keep: list[str]


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The cluster is reached.

    Attributes:
        room: Number of workers that fit into it now, if nothing else runs there.
        has: The resources of its machines, for messages.
    """

    room: int
    has: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The cluster cannot be reached or started."""

    reason: str


class Ended(msgspec.Struct, frozen=True, tag=True):
    """A worker has ended, or cannot be started."""

    name: str
    reason: str


class Found(msgspec.Struct, frozen=True, tag=True):
    """The workers that live and are kept."""

    names: list[str]


Request: TypeAlias = Start | End | Find
Answer: TypeAlias = Ready | Failed | Ended | Found
