"""The options of the backend `dask`."""

from __future__ import annotations

import msgspec

from hpo_core.plugin import Fault, InvalidInput, seconds

RESERVED = {"GPU": "gpus", "CPU": "cpus", "MEMORY": "memory"}
"""The Dask resources that stand for those of ``job.resources``."""


class DaskOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how Dask runs the jobs of a study.

    Attributes:
        address: The scheduler of an existing cluster, such as ``"tcp://head:8786"``, or ``"auto"``
            for that of Dask's configuration, such as ``DASK_SCHEDULER_ADDRESS``.
        scheduler_file: The file that this scheduler has written (``--scheduler-file``), in place of
            its address. Without either, a cluster is started on this machine, and ends with the
            session.
        gpus: The GPUs of a cluster that is started here, by number or UUID. None for those of
            ``CUDA_VISIBLE_DEVICES`` or ``HIP_VISIBLE_DEVICES``.
        resources: Further Dask resources that each job needs, such as ``{"licence": 1}``: only Dask
            workers that were started with them run jobs.
        restrict_to: The Dask workers that may run jobs, by name, address or host; empty for all.
        upload: Whether the folder of the jobs is sent to the Dask workers of an existing cluster.
            If not, all of them have to share it.
        host: The address at which the controller listens for reports; ``""`` for every address.
        port: The port at which it listens; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` by which workers reach the controller, if that is
            another name or, behind a tunnel, another port.
        patience: How long workers of an existing cluster continue without a controller, and how
            long a lost connection to one may take to come back.
        idle: How long a worker without a job keeps its thread and resources.
    """

    address: str | None = None
    scheduler_file: str | None = None
    gpus: tuple[int | str, ...] | None = None
    resources: dict[str, float] = {}
    restrict_to: tuple[str, ...] = ()
    upload: bool = True
    host: str = ""
    port: int = 0
    reach: str = ""
    patience: float | str = "2m"
    idle: float | str = "1m"

    @property
    def is_own(self) -> bool:
        """Whether a cluster is started here."""
        return self.address is None and self.scheduler_file is None

    @property
    def patience_in_seconds(self) -> float:
        """The patience in seconds."""
        return seconds(self.patience)

    @property
    def idle_in_seconds(self) -> float:
        """The time that a worker may be idle, in seconds."""
        return seconds(self.idle)


def check(options: DaskOptions) -> None:
    """Check the options.

    Raises:
        InvalidInput: With all faults.
    """
    found = [*_of_the_cluster(options), *_of_the_controller(options)]
    if found:
        raise InvalidInput([Fault(f"backend.options.{name}", text) for name, text in found])


def _of_the_cluster(options: DaskOptions) -> list[tuple[str, str]]:
    found = []
    if options.address is not None and options.scheduler_file is not None:
        found.append(("scheduler_file", "names a cluster, and so does address; leave one out"))
    if options.address not in (None, "auto") and not _has_port(str(options.address)):
        message = "must be host:port of a scheduler, such as 'tcp://head:8786'"
        found.append(("address", f"{message}, got {options.address!r}"))
    if options.is_own:
        for name in ("resources", "restrict_to"):
            if getattr(options, name):
                message = "is for an existing cluster; give its address, or leave this out"
                found.append((name, message))
    elif options.gpus is not None:
        message = (
            "is for a cluster that is started here; leave it out, and start Dask workers with "
            "CUDA_VISIBLE_DEVICES and --resources GPU=N"
        )
        found.append(("gpus", message))
    if options.gpus is not None and len(set(map(str, options.gpus))) != len(options.gpus):
        found.append(("gpus", "names a GPU twice; name each once"))
    for name, value in options.resources.items():
        if name in RESERVED:
            found.append((f"resources.{name}", f"belongs in job.resources.{RESERVED[name]}"))
        elif value <= 0:
            found.append((f"resources.{name}", f"must be more than 0, got {value:g}"))
    return found


def _has_port(address: str) -> bool:
    return address.rpartition(":")[2].isdigit()


def _of_the_controller(options: DaskOptions) -> list[tuple[str, str]]:
    found = []
    for name in ("patience", "idle"):
        try:
            if seconds(getattr(options, name)) < 1:
                found.append((name, "must be 1 s or more"))
        except ValueError as error:
            found.append((name, str(error)))
    if not 0 <= options.port < 1 << 16:
        found.append(("port", f"must be a port, 0 to 65535, got {options.port}"))
    port = options.reach.partition(":")[2]
    if port and not port.isdigit():
        found.append(("reach", f"must be a host, or host:port, got {options.reach!r}"))
    return found
