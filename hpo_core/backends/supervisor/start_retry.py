"""Jobs that this machine has no room for now are tried again until it has."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

from hpo_core.backends.supervisor.loop import Loop

SHORTAGES = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""Errors of a machine that has no room for another process or file at the moment."""

NO_ROOM = 75
"""The exit status of a worker that there was no room for (EX_TEMPFAIL)."""

TRIES_AGAIN = 0.5
"""Seconds after which a job is tried again, unless another one ends before."""

GIVES_UP = 60.0
"""Seconds without room for a single job after which the study can't go on."""


class StartRetry:
    """Says when jobs are started again after there was no room for one.

    Args:
        loop: What waits for that.
        tell: Tells the controller of the first shortage.
        try_again: Called when jobs are to be tried again.

    Attributes:
        waits: Whether no job is to be started now.
        is_careful: Whether jobs are to be started one after another: there has been no room for
            all of them, and they could keep each other from starting.
    """

    def __init__(
        self,
        loop: Loop[Any],
        tell: Callable[[str, int, str], None],
        try_again: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._tell = tell
        self._try_again = try_again
        self._since: float | None = None  # since when there has been no room for a single job
        self.waits = self.is_careful = False

    def refused(self, number: int, text: str, *, runs: bool) -> bool:
        """Return whether a job that could not be started is to be tried again.

        Args:
            number: Why not, as an errno.
            text: The same for people.
            runs: Whether another job runs, whose end makes room.
        """
        now = time.monotonic()
        if runs:
            self._since = None
        elif self._since is None:
            self._since = now
        elif now - self._since > GIVES_UP:
            return False
        if not self.is_careful:
            self._tell("short", number, text)
        self.waits = self.is_careful = True
        self.later()
        return True

    def later(self) -> None:
        """Have jobs tried again later."""
        self._loop.later(self, TRIES_AGAIN, self._again)

    def job_ended(self) -> None:
        """A job that ran has ended: there is room for another one."""
        self.waits, self._since = False, None

    def _again(self) -> None:
        self.waits = False
        self._try_again()
