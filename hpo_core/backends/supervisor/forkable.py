"""Check whether a process may be forked after it has imported a study's function.

A fork copies only one thread. In the copy, locks held by other threads stay locked, a pool of
OpenMP threads no longer exists although its library assumes so, and the state of a GPU is unusable.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

_GPU = ("/dev/nvidia", "/dev/kfd", "/dev/dri/render")
_JEMALLOC = "jemalloc_bg_thd"
_OPENMP = ("libgomp", "libomp", "libiomp", "vcomp")


def obstacle() -> str | None:
    """Return a human-readable reason why this process cannot be forked, or None."""
    if sys.platform != "linux":
        return "this system's libraries do not allow it"
    others = [thread.name for thread in threading.enumerate()[1:]]
    if others:
        return f"its module has started threads that still run ({', '.join(sorted(others)[:3])})"
    if device := _open_gpu():
        return f"its module has opened {device}"
    if _has_used_openmp():
        return "its module has run code on OpenMP threads"
    return None


def _open_gpu() -> str | None:
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith(_GPU):
            return target
    return None


def _has_used_openmp() -> bool:
    """Return whether OpenMP threads exist, for which there is no API.

    The native threads of this process are counted, without those of the allocator jemalloc (in
    pyarrow, which pandas loads), which survive a fork. Those of BLAS libraries survive it too, and
    are known if threadpoolctl is loaded (scikit-learn loads it). All others are assumed to be
    OpenMP threads if such a library is loaded.
    """
    native = sum(name != _JEMALLOC for name in _thread_names()) - 1
    if native == 0 or not _has_openmp():
        return False
    pools = sys.modules.get("threadpoolctl")
    if pools is None:
        return True
    blas = [pool for pool in pools.threadpool_info() if pool.get("user_api") == "blas"]
    own = (pool["num_threads"] - 1 for pool in blas if pool.get("threading_layer") == "pthreads")
    return native > int(sum(own))


def _thread_names() -> Iterator[str]:
    for thread in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{thread}/comm", encoding="utf-8") as file:
                yield file.read().strip()
        except OSError:  # it has just ended
            continue


def _has_openmp() -> bool:
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        return any(os.path.basename(line.rstrip()).startswith(_OPENMP) for line in file)
