"""Tells a job that the system has killed because memory ran out from one that somebody killed."""

from __future__ import annotations

from pathlib import Path

COUNTERS = Path("/proc/vmstat")
"""Where Linux counts the processes that it has killed for their memory (``oom_kill``)."""


class OutOfMemoryKills:
    """Counts the processes that the system has killed because memory ran out.

    Args:
        counters: The file with the system's counters.
    """

    def __init__(self, counters: Path = COUNTERS) -> None:
        self._counters = counters
        self._seen = self._count()

    def is_new(self) -> bool:
        """Return whether the system has killed another process; each is counted once."""
        has_grown = self._count() > self._seen
        self._seen += has_grown
        return has_grown

    def _count(self) -> int:
        try:
            lines = self._counters.read_text().splitlines()
        except OSError:  # not Linux, or a sandbox
            return 0
        counts = [line.split()[1] for line in lines if line.startswith("oom_kill ")]
        return int(counts[0]) if counts else 0
