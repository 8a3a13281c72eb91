"""DaskBackend: a pool whose workers run as Dask tasks."""

from __future__ import annotations

import logging
import os

from hpo_core.plugin import (
    BackendContext,
    BackendError,
    DrivenPool,
    DriverReady,
    Fault,
    InvalidInput,
)
from hpo_dask.code import MOST, size
from hpo_dask.devices import visible
from hpo_dask.options import DaskOptions, check
from hpo_dask.settings import OwnCluster, Settings, Upload

_log = logging.getLogger("hpo_core")


class DaskBackend(DrivenPool):
    """Runs jobs on workers that are Dask tasks, each with what a job needs, and reused.

    Args:
        context: The study.
        options: The options.

    Raises:
        BackendError: If Dask cannot be reached or started, or has no room for a job.
        InvalidInput: If an option is invalid.
    """

    def __init__(self, context: BackendContext, options: DaskOptions) -> None:
        check(options)
        is_own = options.is_own
        self._where = (
            "a Dask cluster on this machine"
            if is_own
            else f"the Dask scheduler at {options.address or options.scheduler_file}"
        )
        self._settings = settings = settings_of(context, options)
        if settings.upload is not None:
            check_size(settings.upload)
        super().__init__(
            context,
            "hpo_dask.driver",
            settings,
            engine=self._where,
            is_own=is_own,
            host=options.host or ("127.0.0.1" if is_own else ""),
            port=options.port,
            reach=options.reach,
            patience=options.patience_in_seconds,
            idle=options.idle_in_seconds,
            lock="" if settings.own is None else settings.own.lock,
        )

    def check_room(self, ready: DriverReady, workers: int) -> None:
        """Warn if the cluster has no room for all workers.

        Raises:
            BackendError: If a cluster of this machine has no room for one.
        """
        if ready.room >= workers:
            return
        settings = self._settings
        needs = ", ".join(f"{name} {value:g}" for name, value in settings.needs.items())
        needs = f"a thread, {needs}" if needs else "a thread"
        if ready.room == 0 and settings.own is not None:
            raise BackendError(
                f"a job needs {needs}, and this machine has {ready.has}; ask for less in "
                "job.resources"
            )
        if ready.room == 0:
            _log.warning(
                "a job needs %s, and no Dask worker of %s has that (%s): jobs wait until one is "
                "added",
                needs, self._where, ready.has,
            )  # fmt: skip
        else:
            _log.warning(
                "%d of %d workers have room in %s (each needs %s; it has %s): the other jobs wait",
                ready.room, workers, self._where, needs, ready.has,
            )  # fmt: skip


def settings_of(context: BackendContext, options: DaskOptions) -> Settings:
    """Return what the driver needs to know of a study.

    Raises:
        InvalidInput: If a cluster of this machine is to give GPUs, and none is named.
    """
    resources = context.resources
    needs = dict(options.resources)
    if resources is not None:
        gpus = resources.gpus
        share = gpus if gpus is None or gpus >= 1 else 1 / resources.jobs_per_gpu
        told = {"GPU": share, "CPU": resources.cpus, "MEMORY": resources.memory}
        needs |= {name: float(amount) for name, amount in told.items() if amount is not None}
    return Settings(
        study=context.study_uid,
        own=_own_cluster(context, options) if options.is_own else None,
        address=options.address or "",
        scheduler_file=os.path.abspath(options.scheduler_file) if options.scheduler_file else "",
        needs=needs,
        restrict_to=list(options.restrict_to),
        upload=_upload(context) if options.upload and not options.is_own else None,
    )


def check_size(upload: Upload) -> None:
    """Check that a folder is not too large to be sent.

    Raises:
        InvalidInput: If it is.
    """
    has = size(upload.directory, upload.without)
    if has > MOST:
        message = (
            f"sends the folder of the jobs, {upload.directory}, which has {has >> 20} MiB; more "
            f"than {MOST >> 20} MiB are not sent: move its data elsewhere, or share the folder "
            "with all Dask workers, and set this to false"
        )
        raise InvalidInput([Fault("backend.options.upload", message)])


def _own_cluster(context: BackendContext, options: DaskOptions) -> OwnCluster:
    gpus = visible() if options.gpus is None else [str(gpu) for gpu in options.gpus]
    resources = context.resources
    if resources is not None and resources.gpus is not None and not gpus:
        message = (
            "asks for GPUs, and none is named; name those of this machine in backend.options.gpus, "
            "such as [0, 1], or in CUDA_VISIBLE_DEVICES"
        )
        raise InvalidInput([Fault("job.resources.gpus", message)])
    folder = context.folder
    return OwnCluster(
        threads=context.workers,
        resources={"GPU": float(len(gpus)), "CPU": float(_cpus()), "MEMORY": float(_memory())},
        gpus=gpus,
        lock=os.path.join(os.path.abspath(folder), "alive") if folder is not None else "",
    )


def _upload(context: BackendContext) -> Upload:
    """Return the folder of the jobs, without the store and its files: jobs do not read them."""
    directory = os.path.abspath(context.work.directory)
    if context.folder is None:
        return Upload(directory, [])
    parts = os.path.relpath(os.path.abspath(context.folder), directory).split(os.sep)
    for number, part in enumerate(parts):
        stem, dot, ending = part.rpartition(".")
        if dot and ending == "files" and parts[0] != os.pardir:
            files = os.path.join(*parts[: number + 1])
            store = os.path.join(*parts[:number], stem)
            return Upload(directory, [files, f"{store}.db", f"{store}.db-wal", f"{store}.db-shm"])
    return Upload(directory, [])


def _cpus() -> int:
    """Return the number of CPUs on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    """Return the memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
