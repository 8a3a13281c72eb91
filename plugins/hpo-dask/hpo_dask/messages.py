"""What the backend and its driver say to each other, each message a line of JSON.

The driver reads `Settings`, and answers with Ready or Failed. Then it reads Start, End and
Find, and says Ended for each worker, and Found; Failed if the scheduler is gone. It ends when its
standard input is closed.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class OwnCluster(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster that the driver starts, in its own process.

    Attributes:
        threads: Number of its threads, one for each worker.
        resources: Its Dask resources.
        gpus: The names of its GPUs.
        lock: A file that drivers and workers on this machine lock while they live; ``""`` for none.
    """

    threads: int
    resources: dict[str, float]
    gpus: list[str]
    lock: str = ""


class Upload(msgspec.Struct, frozen=True):
    """A folder that is sent to Dask workers.

    Attributes:
        directory: The folder.
        without: Paths in it that are left out, relative to it.
    """

    directory: str
    without: list[str]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the driver needs to know of the study.

    Attributes:
        study: The study's unique id.
        own: The cluster to start; None for an existing one.
        address: The scheduler of an existing cluster.
        scheduler_file: The file that has this address, if that is not given.
        needs: The Dask resources of each worker.
        restrict_to: The Dask workers that may run workers; none for all.
        upload: The folder of the jobs, if it is to be sent.
    """

    study: str
    own: OwnCluster | None = None
    address: str = ""
    scheduler_file: str = ""
    needs: dict[str, float] = {}
    restrict_to: list[str] = []
    upload: Upload | None = None


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
        has: The threads and resources of its Dask workers, for messages.
    """

    room: int
    has: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The cluster cannot be reached or started, or it is gone."""

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
