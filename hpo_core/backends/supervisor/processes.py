"""Process groups, children, and the exit of processes.

Each job leads a session and thus its own process group, so that it can be ended with all its
children. A group is killed *before* its leader is reaped: until then the system does not reuse its
number.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Container
from typing import Any

JOB_VARIABLES = ("JOB_ID", "TRIAL_ID", "CONFIGURATION", "ITERATIONS", "CHECKPOINT_DIR", "REPORT_FD")
"""The variables of a job, each after ``HPO_``."""

PATIENCE = 10.0
"""Maximum time in seconds for a process to end after SIGKILL."""

_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> bool:
    """Make orphaned descendants of this process its children; return whether this is supported.

    Only on Linux; elsewhere an orphan becomes a child of the first process of the system.
    """
    if sys.platform != "linux":
        return False
    return bool(system_library().prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


@functools.cache
def system_library() -> Any:
    """Return the C library, which takes milliseconds to load; a forked process has it already."""
    import ctypes

    return ctypes.CDLL(None)


def signal_group(leader: int, number: int) -> None:
    """Send a signal to a group; only while its leader is not reaped."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
        os.killpg(leader, number)


def signal_process(pid: int, number: int) -> None:
    """Send a signal to a process, which may have ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def kill_with_group(pid: int) -> None:
    """Kill a process and its group, unless that is the group of this process."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        group = os.getpgid(pid)
        if group == os.getpgrp():
            os.kill(pid, signal.SIGKILL)
        else:
            os.killpg(group, signal.SIGKILL)


def reap_group(leader: int) -> tuple[int, bool]:
    """Reap a child that has ended, and all other ended children; return its exit status.

    Returns:
        The exit status, and whether this process has running children.
    """
    status = os.waitpid(leader, 0)[1]
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return os.waitstatus_to_exitcode(status), False
    return os.waitstatus_to_exitcode(status), True


def children() -> list[int]:
    """Return the children of this process on Linux; elsewhere an empty list."""
    if sys.platform != "linux":
        return []
    try:
        found = []
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
                found += [int(pid) for pid in file.read().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return [pid for pid, parent in parents().items() if parent == os.getpid()]
    return found


def parents() -> dict[int, int]:
    """Return the parent of each process of this system."""
    if sys.platform != "linux":
        listing = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, check=True)
        return {
            int(pid): int(parent) for pid, parent in map(bytes.split, listing.stdout.splitlines())
        }
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    return found


def end_children(spared: Container[int] = ()) -> list[int]:
    """Kill the children of this process with their groups, and the resulting orphans.

    Args:
        spared: Children to spare.

    Returns:
        The processes that did not end within `PATIENCE` seconds.
    """
    until = time.monotonic() + PATIENCE
    while left := [pid for pid in children() if pid not in spared]:
        for pid in left:
            kill_with_group(pid)
        stuck = [pid for pid in left if not _reap(pid, until)]
        if stuck:
            return stuck
    return []


def _reap(pid: int, until: float) -> bool:
    """Reap a child that is ending; return whether it has ended in time."""
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        if not has_ended(pid, max(until - time.monotonic(), 0.0)):
            return False
        os.waitpid(pid, 0)
    return True


def without_job_variables(variables: dict[str, str]) -> dict[str, str]:
    """Return environment variables without those of a job, which may be inherited from an outer
    job.
    """
    own = {f"HPO_{name}" for name in JOB_VARIABLES}
    return {name: value for name, value in variables.items() if name not in own}


# -- the exit of a process ------------------------------------------------------------------------


def has_ended(pid: int, timeout: float = 0.0) -> bool:
    """Return whether a process has ended, reaped or not; wait at most `timeout` seconds.

    Raises:
        ProcessLookupError: If it has been reaped, on Linux.
    """
    end = watch_exit(pid)
    try:
        waiter = select.poll()
        waiter.register(end, select.POLLIN)
        return bool(waiter.poll(timeout * 1000))
    finally:
        end.close()


class Exit:
    """A file descriptor that becomes readable when a process has ended, reaped or not."""

    def __init__(self, descriptor: int, owner: Any = None) -> None:
        self._descriptor = descriptor
        self._owner = owner  # closes the descriptor, if there is one

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Close the descriptor."""
        if self._owner is None:
            os.close(self._descriptor)
        else:
            self._owner.close()


def watch_exit(pid: int) -> Exit:
    """Return an object that becomes readable when a process ends.

    Uses pidfds on Linux and kqueues on macOS. On older kernels a thread waits for a child; a
    process that is not a child counts as ended there.

    Raises:
        ProcessLookupError: If there is no such process, on Linux.
        OSError: If too many files are open.
    """
    if sys.platform == "linux":
        try:
            return Exit(os.pidfd_open(pid))
        except ProcessLookupError:
            raise
        except (AttributeError, OSError):
            return Exit(_ended_by_a_thread(pid))
    else:
        return _kqueue(pid)


def _ended_by_a_thread(pid: int) -> int:
    """Return the reading end of a pipe; a thread closes the other one when the child has ended."""
    reading, writing = os.pipe()

    def wait() -> None:
        with contextlib.suppress(ChildProcessError):  # has ended, or is not a child
            os.waitid(
                os.P_PID, pid, os.WEXITED | os.WNOWAIT
            )  # noticed, but left for others to reap
        os.close(writing)

    threading.Thread(target=wait, name=f"exit of {pid}", daemon=True).start()
    return reading


def _kqueue(pid: int) -> Exit:
    if sys.platform == "linux":
        raise NotImplementedError
    else:
        queue = select.kqueue()
        fflags = select.KQ_NOTE_EXIT
        event = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, fflags)
        try:
            queue.control([event], 0)
        except ProcessLookupError:  # it has ended already
            queue.close()
            reading, writing = os.pipe()
            os.close(writing)
            return Exit(reading)
        return Exit(queue.fileno(), queue)
