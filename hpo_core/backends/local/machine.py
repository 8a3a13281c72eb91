"""What this machine gives to each job of a study: a place, and a limit of memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hpo_core.backends.local.device_locks import DeviceLocks
from hpo_core.backends.local.memory import MemoryLimit, writable_cgroup
from hpo_core.backends.local.places import Place, Places, places_of
from hpo_core.model.resources import Resources
from hpo_core.model.text import counted


class Machine:
    """The machine, divided into places for jobs.

    Args:
        resources: What each job needs; None for no limits.
        gpus: The names of the GPUs to use, or ``"auto"``.
        study: The study's name.
        uid: Its uid.
        workers: Maximum number of jobs at a time.
        numbers: Whether each job needs a number, even without resources.
        on_free: Called in a thread when a GPU may have become free that jobs wait for.
        first_worker: The number of the first worker, if there are no resources.

    Attributes:
        is_divided: Whether each job has its own place. If not, any worker runs it.

    Raises:
        InvalidInput: If it has too little for a job.
    """

    def __init__(
        self,
        resources: Resources | None,
        gpus: str | Sequence[Any],
        *,
        study: str,
        uid: str,
        workers: int,
        numbers: bool,
        on_free: Callable[[], None],
        first_worker: int = 0,
    ) -> None:
        self._workers = workers
        self._locks: DeviceLocks | None = None
        self._gpus: list[tuple[str, ...]] = []
        self._has_warned = False
        self._resources = resources
        self._count: int | None = None
        self._memory: MemoryLimit | None = None
        if resources is None:
            numbered = range(first_worker, first_worker + workers)
            self._places = Places([Place(number) for number in numbered] if numbers else None)
        else:
            places = places_of(resources, gpus)
            self._count, self._places = len(places), Places(places)
            if resources.memory is not None:
                has_gpus = resources.gpus is not None
                self._memory = MemoryLimit(resources.memory, has_gpus, uid, writable_cgroup())
            if resources.gpus is not None:
                self._gpus = [place.gpus for place in places]
                self._locks = DeviceLocks(study, uid, on_free)
        self.is_divided = numbers or resources is not None
        self.unused_number = self._places.unused_number
        self.place = self._places.place
        self.give_back = self._places.give_back
        self.give_back_all = self._places.give_back_all

    def claim(self) -> Iterator[str]:
        """Take the locks of GPUs for the jobs, and yield what users should know of that.

        Raises:
            BackendError: If there can be no locks.
        """
        if self._locks is None:
            return
        others = self._locks.claim(self._gpus, self._workers)
        self._places.usable = self._locks.usable
        if not self.has_places:
            self._locks.wait_for(list(others))
        if others and not self._has_warned:
            self._has_warned = True
            whose = ", ".join(
                f"{gpu} (study {owner.study!r}, process {owner.pid})" if owner else gpu
                for gpu, owner in others.items()
            )
            then = "jobs use the others" if self.has_places else "jobs wait until one is free"
            yield (
                f"other studies use these GPUs: {whose}; {then}; name other GPUs in "
                "backend.options.gpus"
            )

    @property
    def has_places(self) -> bool:
        """Whether the study has the locks for a job, which `claim` takes."""
        usable = set() if self._locks is None else self._locks.usable
        return self._locks is None or any(usable.issuperset(gpus) for gpus in self._gpus)

    @property
    def locks(self) -> list[int]:
        """The descriptors of locks that last as long as jobs, which their supervisor inherits."""
        return [] if self._locks is None else self._locks.descriptors

    def take(self, job_id: str) -> Place | None:
        """Return a place for a job; None if it has to wait. See `Places.take`."""
        if self._locks is not None:
            self._locks.renew()
        return self._places.take(job_id)

    def hold(self, owner: object, job_id: str, place: Sequence[Any]) -> None:
        """Register the place of a job that an earlier controller has started; see `Places`."""
        worker, gpus, share, cpus = place
        self._places.hold(owner, job_id, Place(worker, tuple(gpus), share, tuple(cpus)))

    def prefix(self, place: Place) -> list[str]:
        """Return the beginning of the command of a job in a place; see `MemoryLimit.prefix`."""
        if self._memory is None or place.worker is None:
            return []
        return self._memory.prefix(place.worker)

    def remarks(self, workers: int) -> Iterator[str]:
        """Yield what users should know of how their resources are given."""
        if self._count is not None and workers > self._count:
            yield (
                f"workers is {workers}, but this machine has job.resources for "
                f"{counted(self._count, 'job')} at a time: the others wait; leave workers out"
            )
        has_cpus = self._resources is not None and self._resources.cpus is not None
        if has_cpus and not hasattr(os, "sched_setaffinity"):
            yield "job.resources.cpus are counted, but this system cannot bind jobs to them"
        if self._memory is not None and self._memory.remark:
            yield self._memory.remark

    def close(self) -> None:
        """Release the locks of GPUs, and remove what limits the memory of jobs."""
        if self._locks is not None:
            self._locks.close()
        if self._memory is not None:
            self._memory.close()
