"""What each job of a study needs of a machine: GPUs, CPUs and memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault, InvalidInput

_UNITS = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
}
_SIZE = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})")


class Resources(Checked, frozen=True, kw_only=True):
    """What each job of a study gets for itself.

    Attributes:
        gpus: Number of GPUs of each job: a whole number, or a part of one GPU that jobs share, such
            as 0.5. None if jobs need none.
        cpus: Number of CPUs of each job. None for no limit.
        memory: Memory of each job in bytes, or as text such as ``"8GB"`` (10^9 bytes each) or
            ``"8GiB"`` (2^30). None for no limit.
    """

    gpus: float | None = None
    cpus: int | None = None
    memory: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The resources that jobs need, by name."""
        given = (name for name in self.__struct_fields__ if getattr(self, name) is not None)
        return tuple(given)

    @property
    def jobs_per_gpu(self) -> int:
        """Number of jobs that share a GPU; 1 if each has its own GPUs, or needs none."""
        return 1 if self.gpus is None or self.gpus >= 1 else int(1 / self.gpus + 1e-9)

    def spelled_out(self, field: str, value: Any) -> Any:
        return size(value) if field == "memory" and isinstance(value, str) else value

    def faults(self) -> list[Fault]:
        faults = []
        if not self.names:
            faults.append(Fault("", f"is empty; give {', '.join(self.__struct_fields__)}, or some"))
        if self.gpus is not None and not (0 < self.gpus < 1 or self.gpus % 1 == 0 < self.gpus):
            message = f"must be a whole number or, to share a GPU, below 1, got {self.gpus:g}"
            faults.append(Fault("gpus", f"{message}; for jobs without a GPU leave it out"))
        for name in ("cpus", "memory"):
            amount = getattr(self, name)
            if amount is not None and amount < 1:
                faults.append(Fault(name, f"must be 1 or more, got {amount}"))
        return faults


def in_bytes(table: Any) -> Any:
    """Return the table of the resources with its memory in bytes; anything else unchanged.

    Raises:
        InvalidInput: If the memory is text that states no size.
    """
    if not isinstance(table, Mapping) or not isinstance(table.get("memory"), str):
        return table
    try:
        return {**table, "memory": size(table["memory"])}
    except ValueError as error:
        raise InvalidInput([Fault("memory", str(error))]) from None


def size(text: str) -> int:
    """Return the number of bytes that a text such as ``"8GB"`` or ``"512 MiB"`` states.

    Raises:
        ValueError: If it is no such text.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"expected bytes, or text such as '8GB' or '512MiB', got {text!r}")
    number, unit = match.groups()
    return int(float(number) * _UNITS[unit])


def as_size(amount: int) -> int | str:
    """Format bytes such that `size` reads back the exact number."""
    by_size = sorted(_UNITS.items(), key=lambda item: -item[1])
    unit, one = next(item for item in by_size if amount % item[1] == 0)
    return amount if unit == "B" else f"{amount // one}{unit}"
