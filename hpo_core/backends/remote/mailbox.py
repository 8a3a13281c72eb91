"""Calls that other threads hand over to the thread of an event loop."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from typing import Any

from hpo_core.backends.supervisor.loop import Loop


class Mailbox:
    """Runs what other threads post, in the thread that runs the loop.

    Args:
        loop: The event loop.
    """

    def __init__(self, loop: Loop[Any]) -> None:
        self._loop = loop
        self._posted: deque[Callable[[], object]] = deque()
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self._is_open = True
        loop.watch(self._reading, self._run)

    def post(self, call: Callable[[], object]) -> None:
        """Have the loop's thread call something soon; safe in any thread."""
        self._posted.append(call)
        with contextlib.suppress(OSError):  # it is full, which wakes as well; or it is closed
            os.write(self._writing, b"\0")

    def close(self) -> None:
        """Release all resources; what is posted from now on is not run."""
        if self._is_open:
            self._is_open = False
            self._loop.unwatch(self._reading)
            reading, writing = self._reading, self._writing
            self._reading = self._writing = -1
            os.close(writing)
            os.close(reading)

    def _run(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reading, 1 << 16)
        while self._posted and self._is_open:
            self._posted.popleft()()
