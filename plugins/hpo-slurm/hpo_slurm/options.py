"""The options of the backend `slurm`."""

from __future__ import annotations

import msgspec

from hpo_core.plugin import Fault, InvalidInput, seconds


class SlurmOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where and how Slurm runs the jobs of a study.

    Attributes:
        partition: The partition; None for Slurm's default. With several names, separated by commas,
            the first that is free.
        time: The time limit of each Slurm job, such as ``"2h"``, or in seconds. Slurm counts whole
            minutes. None: that of ``job.time_limit`` with ``job.grace`` and a minute, if the study
            has one, else the partition's.
        account: The account that is charged.
        qos: The quality of service.
        extra_lines: Further lines of the batch script: ``#SBATCH`` options, and commands of a shell
            that run before each job, such as ``module load cuda``.
        python: The Python that runs hpo-core on the nodes; None for that of the controller.
        host: The address at which the controller listens for reports; ``""`` for every address.
        port: The port at which it listens; 0 for any free one.
        reach: ``"host"`` or ``"host:port"`` by which nodes reach the controller, if that is another
            name or, behind a tunnel, another port.
        interval: How often Slurm is asked about jobs that are queued or cannot be heard.
        array: Maximum number of jobs that are submitted at once, as one array; 1 for none. Slurm's
            own maximum also holds.
    """

    partition: str | None = None
    time: float | str | None = None
    account: str | None = None
    qos: str | None = None
    extra_lines: tuple[str, ...] = ()
    python: str | None = None
    host: str = ""
    port: int = 0
    reach: str = ""
    interval: float | str = 10.0
    array: int = 1000

    @property
    def minutes(self) -> int | None:
        """The time limit in whole minutes, rounded up."""
        return None if self.time is None else max(-(-int(seconds(self.time)) // 60), 1)

    @property
    def asks_every(self) -> float:
        """The interval in seconds."""
        return seconds(self.interval)


def check(options: SlurmOptions) -> None:
    """Check the options.

    Raises:
        InvalidInput: With all faults.
    """
    faults = []
    for name in ("time", "interval"):
        value = getattr(options, name)
        try:
            if value is not None and seconds(value) < 1:
                faults.append(Fault(f"backend.options.{name}", "must be 1 s or more"))
        except ValueError as error:
            faults.append(Fault(f"backend.options.{name}", str(error)))
    if not 0 <= options.port < 1 << 16:
        message = f"must be a port, 0 to 65535, got {options.port}"
        faults.append(Fault("backend.options.port", message))
    if options.array < 1:
        faults.append(Fault("backend.options.array", f"must be 1 or more, got {options.array}"))
    port = options.reach.partition(":")[2]
    if port and not port.isdigit():
        message = f"must be a host, or host:port, got {options.reach!r}"
        faults.append(Fault("backend.options.reach", message))
    for position, line in enumerate(options.extra_lines):
        if "\n" in line:
            message = "is more than one line; write each line as one text"
            faults.append(Fault(f"backend.options.extra_lines[{position}]", message))
    if faults:
        raise InvalidInput(faults)
