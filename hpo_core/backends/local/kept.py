"""A command in its keeper: its process, from its start to its end, and what it says meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.processes import Group

_PIPE_HOLDS = 1 << 20
"""The most bytes that a pipe can hold, and so the most to read once nobody writes."""


class Kept:
    """A command that runs, or whose end the controller has not recorded yet.

    Args:
        job_id: The job.
        group: Its process.
        pipe: The reading end of its reports' pipe, which does not block.
        loop: What waits for both.
        say: Tells the controller: ``data`` and ``exited``.

    Attributes:
        has_ended: Whether nothing of it runs any more.
    """

    def __init__(
        self, job_id: str, group: Group, pipe: int, loop: Loop[Any], say: Callable[..., None]
    ) -> None:
        self._id = job_id
        self._group = group
        self._pipe: int | None = pipe
        self._listens = True
        self._loop = loop
        self._say = say
        self._unrecorded = bytearray()  # what it has said that the controller has not recorded
        self._bytes = self._reports = 0  # what it has recorded
        self._is_exited = self._is_ending = False
        self.has_ended = False
        self._status = 0
        loop.watch(pipe, self._readable)
        loop.watch(group.exit, self._exit)

    def end(self, grace: float) -> None:
        """End it: SIGTERM, and SIGKILL after a grace period; a later call may shorten that."""
        if self.has_ended:
            return
        if grace <= 0:
            self._kill()
            return
        if not self._is_ending:
            self._group.signal(signal.SIGTERM)
        self._is_ending = True
        self._loop.later(self, grace, self._kill)

    def discard(self) -> None:
        """Kill and reap it, with nothing said of it."""
        if not self.has_ended:
            self._group.end()

    def listen(self, listens: bool) -> None:
        """Read what it says, or let it wait until it is read."""
        if self._pipe is not None and listens != self._listens:
            if listens:
                self._loop.watch(self._pipe, self._readable)
            else:
                self._loop.unwatch(self._pipe)
        self._listens = listens

    def forget(self, count: int, reports: int) -> None:
        """Forget what is recorded: so many bytes from the beginning, with so many reports."""
        del self._unrecorded[: count - self._bytes]
        self._bytes, self._reports = count, reports

    def told(self) -> list[list[Any]]:
        """Return what is not recorded of it, as lines of a journal."""
        lines: list[list[Any]] = [
            ["job", self._id, self._group.pid, self._reports, f"HPO_JOB_ID={self._id}"]
        ]
        if self._unrecorded:
            lines.append(["data", self._id, self._unrecorded.decode("latin-1")])
        if self.has_ended:
            lines.append(["exited", self._id, self._status])
        return lines

    def _kill(self) -> None:
        self._is_ending = False
        self._group.signal(signal.SIGKILL)
        if self._is_exited:
            self._finish()

    def _readable(self) -> None:
        self._read_once()
        if self._pipe is None and self._is_exited:
            self._finish()

    def _exit(self) -> None:
        """The leader has ended. Who of its group still holds the pipe may use up a given grace."""
        self._is_exited = True
        self._loop.unwatch(self._group.exit)
        self._drain()
        if self._pipe is None:
            self._finish()
        elif not self._is_ending:
            self._kill()

    def _finish(self) -> None:
        self._loop.never(self)
        self._status = self._group.end()
        self._drain()
        self._close_pipe()
        self.has_ended = True
        self._say("exited", self._id, self._status)

    def _drain(self) -> None:
        left = _PIPE_HOLDS
        while self._pipe is not None and left > 0 and (count := self._read_once()):
            left -= count

    def _read_once(self) -> int:
        """Read what is there; return how much, 0 if there is nothing."""
        assert self._pipe is not None
        try:
            data = os.read(self._pipe, 65536)
        except BlockingIOError:
            return 0
        if data:
            self._unrecorded += data
            self._say("data", self._id, data.decode("latin-1"))
        else:
            self._close_pipe()
        return len(data)

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            if self._listens:
                self._loop.unwatch(self._pipe)
            os.close(self._pipe)
            self._pipe = None
