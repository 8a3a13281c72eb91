"""Limits of the memory of jobs: a cgroup where one can be written, else of the address space.

Either is set by ``sh`` before it becomes the job's program, so that no moment passes without it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")

_JOIN = 'echo 0 >"$0/cgroup.procs" && exec "$@"'
_LIMIT = 'ulimit -v "$0" && exec "$@"'


class MemoryLimit:
    """The limit of each job of a study.

    Args:
        amount: Bytes that each job may use.
        has_gpus: Whether jobs use GPUs. CUDA reserves far more addresses than it uses memory, so
            these have no limit of the address space.
        study_uid: The study, for the names of its cgroups.
        parent: A cgroup in which others can be made; None if cgroups cannot be used.

    Attributes:
        remark: What users should know of how the limit is kept; ``""`` for nothing.
    """

    def __init__(self, amount: int, has_gpus: bool, study_uid: str, parent: Path | None) -> None:
        self._amount = amount
        self._groups: dict[int, Path] = {}
        self._group: Callable[[int], Path] | None = None
        self._has_limit = parent is not None or not has_gpus
        self.remark = ""
        if parent is not None:
            self._group = lambda worker: parent / f"hpo-{study_uid}-{worker}-{amount}"
        elif has_gpus:
            self.remark = (
                "job.resources.memory limits nothing here: no cgroup can be written, and jobs with "
                "GPUs have no limit of the address space, since CUDA reserves more than it uses"
            )
        else:
            self.remark = (
                "job.resources.memory limits the address space of each process here (ulimit -v), "
                "since no cgroup can be written: a program that reserves more than it uses may fail"
            )

    def prefix(self, worker: int) -> list[str]:
        """Return the beginning of the command of a job: what sets its limit, and runs the rest.

        Raises:
            OSError: If its cgroup cannot be made.
        """
        if not self._has_limit:
            return []
        if self._group is None:
            return ["/bin/sh", "-c", _LIMIT, str(self._amount // 1024)]
        if worker not in self._groups:
            self._groups[worker] = _made(self._group(worker), self._amount)
        return ["/bin/sh", "-c", _JOIN, str(self._groups[worker])]

    def close(self) -> None:
        """Remove the cgroups."""
        for group in self._groups.values():
            with contextlib.suppress(OSError):  # a process in it is just ending
                group.rmdir()


def writable_cgroup(root: Path = CGROUPS, own: Path = OWN_CGROUP) -> Path | None:
    """Return a cgroup (version 2) in which this user can limit the memory of new ones, or None.

    Args:
        root: Where cgroups are mounted.
        own: The file with the cgroups of this process.
    """
    try:
        lines = own.read_text().splitlines()
        path = next(line[3:] for line in lines if line.startswith("0::"))
    except (OSError, StopIteration):
        return None
    here = root / path.lstrip("/")
    for group in (here, here.parent) if here != root else (here,):
        with contextlib.suppress(OSError):
            controllers = (group / "cgroup.subtree_control").read_text().split()
            can_write = os.access(group, os.W_OK) and os.access(group / "cgroup.procs", os.W_OK)
            if "memory" in controllers and can_write:
                return group
    return None


def _made(group: Path, amount: int) -> Path:
    group.mkdir(exist_ok=True)
    (group / "memory.max").write_text(str(amount))
    for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
        with contextlib.suppress(OSError):  # a kernel without it
            (group / name).write_text(value)
    return group
