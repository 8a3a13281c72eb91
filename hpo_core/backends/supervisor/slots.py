"""Which slots there are, and which of them a job may have."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from hpo_core.backends.supervisor.slot import Slot
from hpo_core.backends.supervisor.supervised_job import SupervisedJob


class Slots:
    """The slots of a supervisor, by the numbers of their workers.

    Args:
        workers: The number of workers, any of which runs a job; None if each job has its own.
        first_worker: The number of the first worker, if any of them runs a job.

    Attributes:
        open: All slots.
        idle: Those that are ready for a job; the last one is the next.
        first: The jobs that wait for the workers of their slots, which have just been opened.
    """

    def __init__(self, *, workers: int | None, first_worker: int) -> None:
        self._workers = workers
        self._first_worker = first_worker
        self.open: dict[int, Slot] = {}
        self.idle: dict[int, Slot] = {}
        self.first: dict[Slot, SupervisedJob] = {}

    def next_job(self, queue: Iterable[SupervisedJob]) -> SupervisedJob | None:
        """Return the first job of a queue that has not to wait for the end of another one."""
        if self._workers is not None:
            return next(iter(queue), None) if self.idle or len(self.open) < self._workers else None
        return next((job for job in queue if self._is_free(job.worker)), None)

    def _is_free(self, worker: int | None) -> bool:
        return worker in self.idle or worker not in self.open

    def idle_for(self, job: SupervisedJob) -> Slot | None:
        """Return an idle slot for a job: that of its worker, or the one that was used last."""
        if self._workers is None:
            assert job.worker is not None
            return self.idle.get(job.worker)
        return self.idle[next(reversed(self.idle))] if self.idle else None

    def number_for(self, job: SupervisedJob) -> int:
        """Return the number of the worker for whose jobs a new slot is opened."""
        if self._workers is None:
            assert job.worker is not None
            return job.worker
        numbers = itertools.count(self._first_worker)
        return next(number for number in numbers if number not in self.open)

    def forget(self, slot: Slot) -> None:
        """Forget a slot that is used no more; the worker's next job gets another one."""
        for slots in (self.open, self.idle):
            if slots.get(slot.worker) is slot:
                del slots[slot.worker]

    @property
    def is_starting(self) -> bool:
        """Whether a job is about to start of which it is not known yet whether it can."""
        jobs = (slot.job for slot in self.open.values())
        return bool(self.first) or any(job is not None and not job.pid for job in jobs)

    @property
    def runs(self) -> bool:
        """Whether a job runs."""
        return any(slot.job is not None and slot.job.pid for slot in self.open.values())

    @property
    def has_processes(self) -> bool:
        """Whether a launcher has a process that it has started."""
        return any(slot.leader for slot in self.open.values())
