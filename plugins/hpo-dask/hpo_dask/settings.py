"""What the driver needs to know of a study; the rest is `hpo_core.plugin.DrivenPool`'s."""

from __future__ import annotations

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
