"""RayBackend: a pool whose workers are Ray actors."""

from __future__ import annotations

import logging
import os
from typing import Any

from hpo_core.plugin import BackendContext, BackendError, DrivenPool, DriverReady
from hpo_ray.options import RayOptions, check
from hpo_ray.settings import Settings

_log = logging.getLogger("hpo_core")


class RayBackend(DrivenPool):
    """Runs jobs on actors, each with what a job needs, which are reused.

    Args:
        context: The study.
        options: The options.

    Raises:
        BackendError: If Ray cannot be reached or started, or has no room for a job.
        InvalidInput: If an option is invalid.
    """

    def __init__(self, context: BackendContext, options: RayOptions) -> None:
        check(options)
        self._where = where = options.address
        self._settings = settings = settings_of(context, options)
        super().__init__(
            context,
            "hpo_ray.driver",
            settings,
            engine=f"the Ray cluster at {where}" if where else "a Ray cluster on this machine",
            is_own=where is None,
            host=options.host or ("127.0.0.1" if where is None else ""),
            port=options.port,
            reach=options.reach,
            patience=options.patience_in_seconds,
            idle=options.idle_in_seconds,
            lock=settings.lock if where is None else "",
        )

    def check_room(self, ready: DriverReady, workers: int) -> None:
        """Warn if the cluster has no room for all workers.

        Raises:
            BackendError: If a cluster of this machine has no room for one.
        """
        needs = ", ".join(f"{name} {value:g}" for name, value in self._settings.needs.items())
        if ready.room >= workers:
            return
        if ready.room == 0 and self._where is None:
            raise BackendError(
                f"a job needs {needs}, and this machine has {ready.has}; ask for less in "
                "job.resources, or say in backend.options.num_cpus and num_gpus what it has"
            )
        if ready.room == 0:
            _log.warning(
                "a job needs %s, and no machine of the Ray cluster at %s has that (%s): jobs wait "
                "until one is added",
                needs, self._where, ready.has,
            )  # fmt: skip
        else:
            _log.warning(
                "%d of %d workers have room in the Ray cluster (each needs %s; it has %s): the "
                "other jobs wait",
                ready.room, workers, needs, ready.has,
            )  # fmt: skip


def settings_of(context: BackendContext, options: RayOptions) -> Settings:
    """Return what the driver needs to know of a study."""
    resources = context.resources
    cpus = None if resources is None else resources.cpus
    gpus = None if resources is None else resources.gpus
    cluster: dict[str, Any] = {}
    if options.address is None:
        number = options.num_cpus
        if number is None and cpus is None:
            number = max(context.workers, os.cpu_count() or 1)
        cluster = {"num_cpus": number, "num_gpus": options.num_gpus, "include_dashboard": False}
    folder = context.folder
    return Settings(
        address=options.address,
        namespace=f"hpo-{context.study_uid}",
        cluster=cluster,
        num_cpus=1 if cpus is None else cpus,
        num_gpus=gpus or 0,
        memory=None if resources is None else resources.memory,
        resources=dict(options.resources),
        runtime_env=runtime_env(context, options),
        lock=os.path.join(os.path.abspath(folder), "alive") if folder is not None else "",
    )


def runtime_env(context: BackendContext, options: RayOptions) -> dict[str, Any]:
    """Return the runtime environment of workers, with the jobs' folder if that is to be sent."""
    found = dict(options.runtime_env)
    if options.address is None or not options.upload or "working_dir" in found:
        return found
    directory = os.path.abspath(context.work.directory)
    return {
        **found,
        "working_dir": directory,
        "excludes": [*found.get("excludes", ()), *_own_files(context, directory)],
    }


def _own_files(context: BackendContext, directory: str) -> list[str]:
    """Return the store and its files, if they lie in a folder: jobs do not read them."""
    if context.folder is None:
        return []
    parts = os.path.relpath(os.path.abspath(context.folder), directory).split(os.sep)
    for number, part in enumerate(parts):
        stem, dot, ending = part.rpartition(".")
        if dot and ending == "files" and parts[0] != os.pardir:
            path = "/".join(parts[: number + 1])
            store = "/".join([*parts[:number], stem])
            return [f"/{path}", f"/{store}.db", f"/{store}.db-wal", f"/{store}.db-shm"]
    return []
