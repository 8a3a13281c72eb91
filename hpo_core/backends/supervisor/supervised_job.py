"""A job in its supervisor: its output, its run time, and its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from hpo_core.backends.supervisor.loop import Loop

HELD_AT_MOST = 1 << 22
"""Maximum number of unrecorded bytes of a job's output; above it the job is not read."""

HELD_ALONE = 1 << 26
"""The same while there is no controller."""

Cause: TypeAlias = Literal[
    "", "cancelled", "time_limit", "silence_limit", "parent", "closed", "not_loaded"
]
"""What ended a job, if not the job itself: the controller, a limit, the end of its parent, a worker
that had closed its socket, or a template that ended while loading the function.
"""


class SupervisedJob:
    """A job from its submission until the controller has recorded its end.

    Args:
        job_id: The job.
        told: What the controller said of it; see `Supervisor`.
        loop: The event loop, for its limits.
        tell: Sends a message to the controller.
        clock: Seconds since the epoch, by the controller's clock.

    Attributes:
        id: The job's id.
        told: What the controller said of it.
        pid: The process that leads its group, once it runs.
        cause: The cause of its end.
        end: The message about its end, once it has ended.
        catch_up: Called to read all its output; returns whether it still runs.
        reach: Called with a limit that it has reached.
    """

    def __init__(
        self,
        job_id: str,
        told: dict[str, Any],
        loop: Loop[None],
        tell: Callable[..., None],
        clock: Callable[[], float],
    ) -> None:
        self.id = job_id
        self.told = told
        self.pid = 0
        self.cause: Cause = ""
        self.end: tuple[float, float, int | None, Cause] | None = None
        self.catch_up: Callable[[], bool]
        self.reach: Callable[[Cause], None]
        self._loop = loop
        self._tell = tell
        self._clock = clock
        self._started = 0.0  # by the monotonic clock, like the following times
        self._heard = 0.0
        self._asked: float | None = None  # since when it has been waiting for an answer
        self._is_cancelled = False
        self._is_overdue = False  # whether a limit was exceeded meanwhile
        self._waited = 0.0  # total time of waiting for answers
        self._unrecorded = bytearray()
        self._recorded_bytes = self._recorded_reports = 0

    @property
    def worker(self) -> int | None:
        """The number of its worker; None before it starts if any worker may run it."""
        number: int | None = self.told["place"][0]
        return number

    @property
    def cpus(self) -> list[int]:
        """Its CPUs; none for all."""
        cpus: list[int] = self.told["place"][3]
        return cpus

    # -- states -------------------------------------------------------------------------------

    def assign(self, worker: int) -> None:
        """Register the number of the worker that runs it."""
        self.told["place"][0] = worker

    def begin(self, pid: int, began: float) -> None:
        """Register the start of the job, at a time of the monotonic clock."""
        self.pid = pid
        self._started = self._heard = began
        self._tell("started", self.id, pid, self._clock() - (time.monotonic() - began))
        self._judge_time()
        self._judge_silence()

    def hear(self, data: bytes) -> None:
        """Register output of the job."""
        self._heard = time.monotonic()
        self._unrecorded += data
        self._tell("data", self.id, self._clock(), data.decode("latin-1"))

    def ask(self) -> None:
        """Register that it waits for an answer to a report; this time does not count for limits."""
        self._asked = time.monotonic()

    def answer(self) -> bool:
        """Register the answer; return whether the job waited for one."""
        if self._asked is None:
            return False
        self._heard = time.monotonic()
        self._waited += self._heard - self._asked
        self._asked = None
        if self._is_overdue:
            self._is_overdue = False
            self._judge_time()
            self._judge_silence()
        return True

    def cancel(self) -> None:
        """Register that the controller ends it, unless a limit has done so before."""
        if not self.cause:
            self._is_cancelled = True

    def finish(self, status: int | None) -> None:
        """Register the end of the job; `status` is that of its process, if that has ended."""
        self._loop.never((self, "time_limit"))
        self._loop.never((self, "silence_limit"))
        ran = time.monotonic() - self._started if self.pid else 0.0
        cause: Cause = "cancelled" if self._is_cancelled else self.cause
        self.end = (self._clock(), ran, status, cause)
        self._tell("ended", self.id, *self.end)

    # -- recorded output -----------------------------------------------------------------

    @property
    def is_answered(self) -> bool:
        """Whether all its output is recorded."""
        return not self._unrecorded

    def forget(self, count: int, reports: int) -> None:
        """Discard recorded output: the given total numbers of bytes and reports."""
        del self._unrecorded[: count - self._recorded_bytes]
        self._recorded_bytes, self._recorded_reports = count, reports

    def holds_too_much(self, alone: bool) -> bool:
        """Return whether to stop reading it until more of its output is recorded."""
        return len(self._unrecorded) > (HELD_ALONE if alone else HELD_AT_MOST)

    def summary(self) -> list[list[Any]]:
        """Return its unrecorded output as messages for the next controller."""
        started = self._clock() - (time.monotonic() - self._started)
        recorded = self._recorded_bytes, self._recorded_reports
        messages: list[list[Any]] = [
            ["job", self.id, self.pid, *recorded, started, self.told["place"]]
        ]
        if self._unrecorded:
            text = self._unrecorded.decode("latin-1")
            messages.append(["data", self.id, self._clock(), text])
        if self.end is not None:
            messages.append(["ended", self.id, *self.end])
        return messages

    # -- limits -----------------------------------------------------------------------------

    def _judge_time(self) -> None:
        limit = self.told["time_limit"]
        if limit is not None:
            self._judge("time_limit", limit, self._own_time, self._judge_time)

    def _judge_silence(self) -> None:
        limit = self.told["silence_limit"]
        if limit is not None:
            self._judge("silence_limit", limit, self._silent_for, self._judge_silence)

    def _judge(
        self, cause: Cause, limit: float, used: Callable[[], float], again: Callable[[], None]
    ) -> None:
        """End the job if a limit is exceeded after reading all its output; otherwise check again
        later.
        """
        if self._asked is not None:  # it waits for an answer; see `answer`
            self._is_overdue = True
        elif (left := limit - used()) > 0:
            self._loop.later((self, cause), left, again)
        elif self.catch_up():
            if (left := limit - used()) > 0 or self._asked is not None:
                self._loop.later((self, cause), max(left, 0.0), again)
            else:
                self.reach(cause)

    def _own_time(self) -> float:
        return time.monotonic() - self._started - self._waited

    def _silent_for(self) -> float:
        return time.monotonic() - self._heard
