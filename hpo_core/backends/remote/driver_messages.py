"""What a `DrivenPool` and its driver say to each other, each message a line of JSON.

The driver reads its settings, and answers with `DriverReady` or `DriverFailed`. Then it reads
requests. It says `WorkerEnded` of each worker, and `WorkersFound`; and `DriverFailed` if the engine
is gone. It ends when its standard input is closed.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class StartWorkers(msgspec.Struct, frozen=True, tag=True):
    """Start workers.

    Attributes:
        orders: Their orders, by name; see `WorkerPool.worker_order`.
    """

    orders: dict[str, str]


class EndWorkers(msgspec.Struct, frozen=True, tag=True):
    """End workers."""

    names: list[str]


class FindWorkers(msgspec.Struct, frozen=True, tag=True):
    """Find the workers of an earlier controller, and end all but some."""

    keep: list[str]


class DriverReady(msgspec.Struct, frozen=True, tag=True):
    """The engine is reached.

    Attributes:
        room: Number of workers that fit into it now, if nothing else runs there.
        has: What it has for workers, for messages.
    """

    room: int
    has: str


class DriverFailed(msgspec.Struct, frozen=True, tag=True):
    """The engine cannot be reached or started, or it is gone."""

    reason: str


class WorkerEnded(msgspec.Struct, frozen=True, tag=True):
    """A worker has ended, or cannot be started."""

    name: str
    reason: str


class WorkersFound(msgspec.Struct, frozen=True, tag=True):
    """The workers that live and are kept."""

    names: list[str]


DriverRequest: TypeAlias = StartWorkers | EndWorkers | FindWorkers
"""What a driver is asked for."""

DriverAnswer: TypeAlias = DriverReady | DriverFailed | WorkerEnded | WorkersFound
"""What a driver says."""
