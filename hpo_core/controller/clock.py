"""The controller's clock."""

from __future__ import annotations

import time


class SystemClock:
    """Seconds since the epoch. Never decreases, even if the system time is changed."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._offset + time.monotonic()
