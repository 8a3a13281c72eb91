"""The GPUs of a Dask worker, and which task has which.

Dask counts resources and assigns no devices. A Dask worker that was started with ``GPU=2`` has
the first two devices that it sees; each task gets its own of them, or its share of one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""The variables that name the GPUs which a process sees."""

_ROUNDING = 1e-9


class NoDevice(Exception):
    """A Dask worker has fewer devices than it offers as resource."""


def visible(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the GPUs that the environment names."""
    told = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    return [name.strip() for name in told.split(",") if name.strip()]


class Devices:
    """GPUs, and how much of each is free.

    Args:
        names: Their names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._free = dict.fromkeys(names, 1.0)
        self._lock = Lock()

    @contextmanager
    def lent(self, gpus: float) -> Iterator[dict[str, str]]:
        """Lend GPUs, and return the variables that name them; none if none are needed.

        Raises:
            NoDevice: If too few are free.
        """
        share = min(gpus, 1.0)
        with self._lock:
            names = self._take(max(round(gpus), 1), share) if gpus else []
        try:
            yield dict.fromkeys(VARIABLES, ",".join(names)) if gpus else {}
        finally:
            with self._lock:
                for name in names:
                    self._free[name] += share

    def _take(self, number: int, share: float) -> list[str]:
        by_room = sorted(self._free, key=lambda name: -self._free[name])
        names = [name for name in by_room if self._free[name] + _ROUNDING >= share][:number]
        if len(names) < number:
            raise NoDevice
        for name in names:
            self._free[name] -= share
        return names
