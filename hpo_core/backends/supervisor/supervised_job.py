"""One job, as its supervisor sees it: what it has said, how long it has run, how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from hpo_core.backends.supervisor.loop import Loop

HELD_AT_MOST = 1 << 22
"""Bytes of one job's output that wait to be recorded; beyond them it is not read."""

HELD_ALONE = 1 << 26
"""The same while there is no controller."""

Cause: TypeAlias = Literal["", "time_limit", "silence_limit", "parent", "closed", "not_loaded"]
"""What ended a job, if it was neither the job nor the controller: a limit; the end of its parent;
a worker that had closed its socket; a template that ended while it loaded the function."""


class SupervisedJob:
    """A job from its submission until the controller has recorded its end.

    Args:
        job_id: The job.
        told: What the controller said of it; see `Supervisor`.
        loop: What waits for its limits.
        tell: Tells the controller.
        clock: Seconds since the epoch, by the controller's clock.

    Attributes:
        id: The job's id.
        told: What the controller said of it.
        pid: The process that leads its group, once it runs.
        cause: What ended it.
        end: How it ended, once it has: as the controller is told.
        catch_up: Called to read all that it has said; returns whether it still runs.
        reach: Called with the limit that it has reached.
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
        self._started = 0.0  # by the monotonic clock, as all that follows
        self._heard = 0.0
        self._asked: float | None = None  # since when it waits for an answer
        self._is_overdue = False  # whether a limit passed meanwhile
        self._waited = 0.0  # how long it has waited for answers
        self._unrecorded = bytearray()
        self._recorded_bytes = self._recorded_reports = 0

    # -- its life -------------------------------------------------------------------------------

    def begin(self, pid: int, began: float) -> None:
        """It runs, since a moment of the monotonic clock."""
        self.pid = pid
        self._started = self._heard = began
        self._tell("started", self.id, pid, self._clock() - (time.monotonic() - began))
        self._judge_time()
        self._judge_silence()

    def hear(self, data: bytes) -> None:
        """It has written something."""
        self._heard = time.monotonic()
        self._unrecorded += data
        self._tell("data", self.id, self._clock(), data.decode("latin-1"))

    def ask(self) -> None:
        """It waits for an answer to a report; that time counts for no limit."""
        self._asked = time.monotonic()

    def answer(self) -> bool:
        """It gets its answer; return whether it waited for one."""
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

    def finish(self, status: int | None) -> None:
        """It has ended; `status` is that of its process, if this has ended too."""
        self._loop.never((self, "time_limit"))
        self._loop.never((self, "silence_limit"))
        ran = time.monotonic() - self._started if self.pid else 0.0
        self.end = (self._clock(), ran, status, self.cause)
        self._tell("ended", self.id, *self.end)

    # -- what is recorded of it -----------------------------------------------------------------

    @property
    def is_answered(self) -> bool:
        """Whether all that it has said is recorded."""
        return not self._unrecorded

    def forget(self, count: int, reports: int) -> None:
        """Forget what is recorded: so many bytes from the beginning, with so many reports."""
        del self._unrecorded[: count - self._recorded_bytes]
        self._recorded_bytes, self._recorded_reports = count, reports

    def holds_too_much(self, alone: bool) -> bool:
        """Return whether it must not be read until more of its output is recorded."""
        return len(self._unrecorded) > (HELD_ALONE if alone else HELD_AT_MOST)

    def summary(self) -> list[list[Any]]:
        """Return all that is not recorded of it, as messages for the next controller."""
        started = self._clock() - (time.monotonic() - self._started)
        messages: list[list[Any]] = [
            ["job", self.id, self.pid, self._recorded_bytes, self._recorded_reports, started]
        ]
        if self._unrecorded:
            text = self._unrecorded.decode("latin-1")
            messages.append(["data", self.id, self._clock(), text])
        if self.end is not None:
            messages.append(["ended", self.id, *self.end])
        return messages

    # -- its limits -----------------------------------------------------------------------------

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
        """End it if a limit is past after all that it has said was heard; else look again then."""
        if self._asked is not None:  # it can't go on by itself; see `answer`
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
