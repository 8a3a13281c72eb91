"""Start jobs, each in a slot; those for which there is no slot now wait."""

from __future__ import annotations

import abc
import errno
import os
from collections import deque

from hpo_core.backends.supervisor.command_slot import CommandSlot
from hpo_core.backends.supervisor.launchers import Launchers
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.processes import end_children
from hpo_core.backends.supervisor.slot import Slot
from hpo_core.backends.supervisor.slot_opener import SlotOpener
from hpo_core.backends.supervisor.slots import Slots
from hpo_core.backends.supervisor.start_retry import NO_ROOM, SHORTAGES, StartRetry
from hpo_core.backends.supervisor.supervised_job import SupervisedJob


class JobStarter(abc.ABC):
    """Has the slots of a study's jobs, and is told what becomes of them.

    Args:
        loop: The event loop.
        launchers: Forks launchers.
        opener: Opens slots.
        slots: The slots.

    Attributes:
        retires: Whether it starts no more jobs: a later controller has its last ones.
    """

    def __init__(
        self, loop: Loop[None], launchers: Launchers, opener: SlotOpener, slots: Slots
    ) -> None:
        self._launchers = launchers
        self._opener = opener
        self._slots = slots
        self._queue: deque[SupervisedJob] = deque()
        self._retry = StartRetry(loop, self._tell, self._fill)
        self._is_closing = False
        self.retires = False

    @abc.abstractmethod
    def ended(self, job: SupervisedJob, status: int | None) -> None:
        """Handle the end of a job."""

    @abc.abstractmethod
    def asks(self, slot: Slot) -> None:
        """A job waits for the answer to a report."""

    @abc.abstractmethod
    def _tell(self, kind: str, *told: object) -> None:
        """Send a message to the controller."""

    @abc.abstractmethod
    def _drop(self, job: SupervisedJob, number: int | None, text: str) -> None:
        """Tell the controller that a job cannot be started."""

    @abc.abstractmethod
    def _end_if_closing(self) -> None:
        """End this process if it is to, and no job runs any more."""

    # -- starting -------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Start waiting jobs in idle or new slots."""
        self._launchers.reap()
        while not self._is_closing and not self._retry.waits:
            job = self._slots.next_job(self._queue)
            if job is None:
                return
            if self._retry.is_careful and self._slots.is_starting:
                self._retry.later()
                return
            try:
                slot = self._slots.idle_for(job)
                if slot is not None:
                    if slot.start(job):
                        self._queue.remove(job)
                    del self._slots.idle[slot.worker]
                elif not self._open_slot(job):
                    return
            except OSError as error:
                if error.errno not in SHORTAGES:
                    raise
                self._queue.remove(job)
                self.refused(job, error.errno, error.strerror or str(error))

    def _open_slot(self, job: SupervisedJob) -> bool:
        """Open a slot for the worker of a waiting job; return whether that was possible now."""
        slots = self._slots
        slot = self._opener.open(self, job, slots.number_for(job))
        if slot is None:
            return False
        slots.open[slot.worker] = slot
        if isinstance(slot, CommandSlot):
            slots.idle[slot.worker] = slot
        else:  # its worker has to load the function first
            self._queue.remove(job)
            slots.first[slot] = job
        return True

    def _on_template(self, status: int | None) -> None:
        """Go on once workers can be started, or the template has ended while it was loading."""
        if status is not None and self._queue:
            job = self._queue.popleft()  # the one that it was started for
            job.cause = "not_loaded"
            self.ended(job, status)
        self._fill()

    # -- what slots say -------------------------------------------------------------------------

    def idle(self, slot: Slot) -> None:
        """Handle a slot that is ready for a job."""
        if self._is_closing:
            self._end_if_closing()
            return
        job = self._slots.first.pop(slot, None)
        if job is not None and job.end is None:
            if slot.start(job):
                return
            self._queue.appendleft(job)
        if self.retires or (self._retry.waits and len(self._slots.open) > 1):
            self._let_launcher_go(slot)  # it takes the room that a job of another one needs
        else:
            self._slots.idle[slot.worker] = slot
        self._fill()

    def _let_launcher_go(self, slot: Slot) -> None:
        slot.close()
        self._slots.forget(slot)
        self._launchers.let_go(slot.launcher)

    def refused(self, job: SupervisedJob, number: int | None, text: str) -> None:
        """Handle a command that could not be started."""
        if number in SHORTAGES and self._retry.refused(number, text, runs=self._slots.runs):
            self._queue.appendleft(job)
        else:
            self._drop(job, number, text)

    def gone(
        self, slot: Slot, status: int | None, refusal: tuple[int | None, str] | None = None
    ) -> None:
        """Handle a slot that can no longer be used."""
        self._slots.forget(slot)
        self._launchers.let_go(slot.launcher)
        job = self._slots.first.pop(slot, None)
        if job is not None and job.end is None:
            if status == NO_ROOM:
                refusal = (errno.EAGAIN, os.strerror(errno.EAGAIN))
            if refusal is not None:
                self.refused(job, *refusal)
            else:
                job.cause = "not_loaded"
                self.ended(job, status)
        self._end_if_closing()
        self._fill()

    def orphaned(self) -> None:
        """A launcher was killed: what its job has left are this process's children now."""
        spared = {slot.launcher for slot in self._slots.open.values()}
        template = self._opener.template
        stuck = end_children(spared | ({template} if template is not None else set()))
        if stuck:
            self.stuck(stuck)

    def stuck(self, pids: list[int]) -> None:
        """Handle processes of a job that cannot be killed."""
        self._tell("stuck", pids)
