"""The places of this machine, each for one job at a time, and which job has which.

A study with ``job.resources`` divides the machine once: each place has its GPUs (or its share of
one) and its CPUs, and its number is that of the worker. Jobs of an earlier controller keep what
they have; a place that overlaps with theirs is free when they have ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from typing import Any

import msgspec

from hpo_core.backends.local.devices import visible_gpus
from hpo_core.model.errors import Fault, InvalidInput, listed
from hpo_core.model.resources import Resources, as_size
from hpo_core.model.text import counted

_ROUNDING = 1e-9


class Place(msgspec.Struct, frozen=True, array_like=True):
    """What one job has for itself.

    Attributes:
        worker: The number of the place, from 0; None if the supervisor numbers the workers.
        gpus: Its GPUs.
        share: Its share of each of them; 1 unless jobs share a GPU.
        cpus: Its CPUs; none for all.
    """

    worker: int | None
    gpus: tuple[str, ...] = ()
    share: float = 1.0
    cpus: tuple[int, ...] = ()


_ANYWHERE = Place(None)


class Places:
    """The places, and which job has which.

    Args:
        places: The places; None if jobs have nothing for themselves, not even a number.

    Attributes:
        usable: The GPUs that no other study uses; None for all.
    """

    def __init__(self, places: Sequence[Place] | None) -> None:
        self.usable: Set[str] | None = None
        self._is_divided = places is not None
        self._free = list(reversed(places or ()))  # the last one is the next
        self._taken: dict[str, Place] = {}
        self._foreign: dict[str, Place] = {}  # of jobs that an earlier controller has started
        self._owners: dict[str, object] = {}

    def take(self, job_id: str) -> Place | None:
        """Return a place for a job; None if it must wait until another job has ended."""
        if not self._is_divided:
            return _ANYWHERE
        for index in range(len(self._free) - 1, -1, -1):
            if self._is_usable(self._free[index]):
                place = self._free.pop(index)
                break
        else:
            return None
        if any(other.worker == place.worker for other in self._foreign.values()):
            place = msgspec.structs.replace(place, worker=self.unused_number())
        self._taken[job_id] = place
        return place

    def place(self, job_id: str) -> Place:
        """Return the place of a job."""
        return self._taken.get(job_id, _ANYWHERE)

    def hold(self, owner: object, job_id: str, place: Place) -> None:
        """Register the place of a job of an earlier controller.

        Args:
            owner: What runs the job; see `give_back_all`.
            job_id: The job.
            place: Its place.
        """
        self._foreign[job_id] = place
        self._owners[job_id] = owner

    def give_back_all(self, owner: object) -> None:
        """Register that none of the earlier jobs of an owner runs any more."""
        for job_id in [each for each, its in self._owners.items() if its is owner]:
            self.give_back(job_id)

    def give_back(self, job_id: str) -> None:
        """Register that a job has ended."""
        if self._foreign.pop(job_id, None) is not None:
            del self._owners[job_id]
        place = self._taken.pop(job_id, None)
        if place is not None:
            self._free.append(place)

    def unused_number(self, first: int = 0) -> int:
        """Return a number for a worker that no other has; `first` if there are none."""
        everyone = [*self._free, *self._taken.values(), *self._foreign.values()]
        numbers = (place.worker for place in everyone if place.worker is not None)
        return max((1 + number for number in numbers), default=first)

    def _is_usable(self, place: Place) -> bool:
        """Return whether a free place can be given to a job."""
        if self.usable is not None and not self.usable >= set(place.gpus):
            return False
        return not self._foreign or self._is_vacant(place)

    def _is_vacant(self, place: Place) -> bool:
        """Return whether no job of an earlier controller has what belongs to a place."""
        for other in self._foreign.values():
            if {*other.cpus}.intersection(place.cpus):
                return False
        in_use = [*self._foreign.values(), *self._taken.values()]
        return all(
            sum(one.share for one in in_use if gpu in one.gpus) + place.share <= 1 + _ROUNDING
            for gpu in place.gpus
        )


def places_of(resources: Resources, gpus: str | Sequence[Any]) -> list[Place]:
    """Divide this machine into places for jobs.

    Args:
        resources: What each job needs.
        gpus: ``"auto"``, or the names of the GPUs to use.

    Raises:
        InvalidInput: If the machine has not enough for one job, with all that is lacking.
    """
    faults: list[Fault] = []
    rows: list[list[Any]] = []
    if resources.gpus is not None:
        names = visible_gpus() if gpus == "auto" else [str(each) for each in gpus]
        rows.append(list(_of_gpus(resources, names)))
        if not rows[-1]:
            faults.append(Fault("job.resources.gpus", _too_few_gpus(resources.gpus, names)))
    if resources.cpus is not None:
        cpus = available_cpus()
        many = resources.cpus
        rows.append([cpus[at : at + many] for at in range(0, len(cpus) - many + 1, many)])
        if not rows[-1]:
            message = f"asks for {many}, but {counted(len(cpus), 'CPU')} may be used here"
            faults.append(Fault("job.resources.cpus", f"{message}; ask for fewer"))
    if resources.memory is not None:
        memory = physical_memory()
        rows.append([None] * (memory // resources.memory))
        if not rows[-1]:
            message = f"asks for {as_size(resources.memory)}, but this machine has {memory:.3g} B"
            faults.append(Fault("job.resources.memory", f"{message}; ask for less"))
    if faults:
        raise InvalidInput(faults)
    count = min(map(len, rows))
    fit = [row[:count] for row in rows]
    with_gpus = fit.pop(0) if resources.gpus is not None else [()] * count
    with_cpus = fit.pop(0) if resources.cpus is not None else [()] * count
    share = 1.0 if resources.gpus is None or resources.gpus >= 1 else 1 / resources.jobs_per_gpu
    return [
        Place(worker, tuple(its_gpus), share, tuple(its_cpus))
        for worker, (its_gpus, its_cpus) in enumerate(zip(with_gpus, with_cpus, strict=True))
    ]


def _of_gpus(resources: Resources, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the GPUs of each place. Jobs that share GPUs are spread over all of them first."""
    assert resources.gpus is not None
    many = max(int(resources.gpus), 1)
    for _ in range(resources.jobs_per_gpu):
        for at in range(0, len(names) - many + 1, many):
            yield tuple(names[at : at + many])


def _too_few_gpus(needed: float, names: Sequence[str]) -> str:
    if not names:
        return (
            f"asks for {needed:g}, but no GPU was found here (nvidia-smi, ROCm); name them as "
            "backend.options.gpus, such as ['0', '1'], or leave job.resources.gpus out"
        )
    return f"asks for {needed:g}, but there are only {listed(names)}; ask for fewer"


def available_cpus() -> list[int]:
    """Return the CPUs on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def physical_memory() -> int:
    """Return the memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
