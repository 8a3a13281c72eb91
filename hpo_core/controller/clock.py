"""The clock that the controller takes its time from."""

from __future__ import annotations

import time


class SystemClock:
    """Seconds since the epoch that never run backwards: the system's time may be set meanwhile."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._offset + time.monotonic()
