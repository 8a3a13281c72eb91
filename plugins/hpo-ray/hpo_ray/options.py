"""The options of the backend `ray`."""

from __future__ import annotations

from typing import Any

import msgspec

from hpo_core.plugin import Fault, InvalidInput, seconds


class RayOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how Ray runs the jobs of a study.

    Attributes:
        address: The cluster: ``"host:port"`` of its head, or ``"auto"`` for one that runs on this
            machine or is named by ``RAY_ADDRESS``. None starts a cluster on this machine, which
            ends with the session.
        num_cpus: Number of CPUs of a cluster that is started; None for those of the machine, or one
            for each worker if ``job.resources`` does not say how many a job needs.
        num_gpus: Number of GPUs of a cluster that is started; None for those that Ray finds.
        resources: Further Ray resources that each job needs, such as ``{"tpu": 1}``.
        runtime_env: The runtime environment of the jobs, in Ray's form, such as
            ``{"pip": ["scikit-learn"]}``.
        upload: Whether the folder of the jobs is sent to the machines of an existing cluster. If
            not, all of them have to share it.
        host: The address at which the controller listens for reports; ``""`` for every address.
        port: The port at which it listens; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` by which workers reach the controller, if that is
            another name or, behind a tunnel, another port.
        patience: How long workers of an existing cluster go on without a controller, and how long a
            lost connection to one may take to come back.
        idle: How long a worker without a job keeps its resources.
    """

    address: str | None = None
    num_cpus: int | None = None
    num_gpus: int | None = None
    resources: dict[str, float] = {}
    runtime_env: dict[str, Any] = {}
    upload: bool = True
    host: str = ""
    port: int = 0
    reach: str = ""
    patience: float | str = "2m"
    idle: float | str = "1m"

    @property
    def patience_in_seconds(self) -> float:
        """The patience in seconds."""
        return seconds(self.patience)

    @property
    def idle_in_seconds(self) -> float:
        """The time that a worker may be idle, in seconds."""
        return seconds(self.idle)


def check(options: RayOptions) -> None:
    """Check the options.

    Raises:
        InvalidInput: With all faults.
    """
    found: list[tuple[str, str]] = []
    for name in ("patience", "idle"):
        try:
            if seconds(getattr(options, name)) < 1:
                found.append((name, "must be 1 s or more"))
        except ValueError as error:
            found.append((name, str(error)))
    if options.address is not None:
        for name in ("num_cpus", "num_gpus"):
            if getattr(options, name) is not None:
                found.append((name, "is for a cluster that is started here; leave it out"))
        if options.address.startswith("ray://"):
            message = (
                "is an address of Ray Client, which cannot start actors that outlive a controller; "
                "run the controller on a machine of the cluster, and give host:port of its head"
            )
            found.append(("address", message))
    for name in ("num_cpus", "num_gpus"):
        value = getattr(options, name)
        if value is not None and value < 0:
            found.append((name, f"must be 0 or more, got {value}"))
    for name, value in options.resources.items():
        if name in ("CPU", "GPU", "memory"):
            found.append((f"resources.{name}", "belongs in job.resources"))
        elif value <= 0:
            found.append((f"resources.{name}", f"must be more than 0, got {value:g}"))
    if not 0 <= options.port < 1 << 16:
        found.append(("port", f"must be a port, 0 to 65535, got {options.port}"))
    port = options.reach.partition(":")[2]
    if port and not port.isdigit():
        found.append(("reach", f"must be a host, or host:port, got {options.reach!r}"))
    if found:
        raise InvalidInput([Fault(f"backend.options.{name}", text) for name, text in found])
