"""Retry starting jobs for which the machine currently lacks resources."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

from hpo_core.backends.supervisor.loop import Loop

SHORTAGES = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""Errors of a machine that temporarily lacks resources for another process or file."""

NO_ROOM = 75
"""The exit status of a worker that could not start for lack of resources (EX_TEMPFAIL)."""

TRIES_AGAIN = 0.5
"""Time in seconds after which a start is retried, unless another job ends before."""

GIVES_UP = 60.0
"""Time in seconds without resources for a single job, after which the study fails."""


class StartRetry:
    """Decides when jobs are started again after a lack of resources.

    Args:
        loop: The event loop.
        tell: Sends a message about the first shortage to the controller.
        try_again: Called when starting jobs should be retried.

    Attributes:
        waits: Whether no job should be started now.
        is_careful: Whether to start jobs one after the other, since resources were not sufficient
            for all, and they could prevent each other from starting.
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
        self._since: float | None = (
            None  # since when resources have not been sufficient for a single job
        )
        self.waits = self.is_careful = False

    def refused(self, number: int, text: str, *, runs: bool) -> bool:
        """Return whether to retry a job that could not be started.

        Args:
            number: The error, as an errno.
            text: The error as text.
            runs: Whether another job runs, whose end frees resources.
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
        """Schedule a retry."""
        self._loop.later(self, TRIES_AGAIN, self._again)

    def job_ended(self) -> None:
        """Register that a job has ended, which frees resources."""
        self.waits, self._since = False, None

    def _again(self) -> None:
        self.waits = False
        self._try_again()
