"""Groups of processes: starting and ending them, seeing their exit.

Each process that is started here leads a session and so a process group of its own, so that it
can be ended with all its children. A group is ended *before* its leader is reaped: until then the
system gives its number to nobody else.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

JOB_VARIABLES = ("JOB_ID", "TRIAL_ID", "CONFIGURATION", "ITERATIONS", "CHECKPOINT_DIR", "REPORT_FD")
"""The variables of a job, each after ``HPO_``; none is inherited from a job around this one."""


class Group:
    """A process, with all that it starts in its group.

    Args:
        arguments: Its argument list.
        directory: Where it runs.
        environment: All its variables.
        output: Where its standard output and error go; None leaves them the controller's.
        keep: File descriptors that it gets besides.
        executable: The program's file; None looks for the first argument.

    Raises:
        OSError: If it can't be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        directory: str,
        environment: Mapping[bytes, bytes],
        output: int | None,
        keep: Sequence[int],
        executable: str | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            arguments,
            executable=executable,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            pass_fds=keep,
            start_new_session=True,
        )
        self.pid = self._process.pid
        try:
            self.exit = watch_exit(self.pid)
        except OSError:
            self.signal(signal.SIGKILL)
            self._process.wait()
            raise

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the group; only while its leader is not reaped."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies left
            os.killpg(self.pid, number)

    def end(self) -> int:
        """Kill what is left of the group, reap its leader, and return its exit status."""
        self.signal(signal.SIGKILL)
        status = self._process.wait()
        self.exit.close()
        return status


def how_it_ended(status: int) -> str:
    """Return an exit status for people: ``exit status 3``, ``killed by SIGSEGV``."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"killed by {name}{_BY_WHOM.get(-status, '')}"


_BY_WHOM: Mapping[int, str] = {
    signal.SIGKILL: ", and not by hpo-core: the system does that when memory runs out",
    signal.SIGXCPU: ": its limit of processor time is reached (ulimit -t)",
    signal.SIGXFSZ: ": its limit of a file's size is reached (ulimit -f)",
}


def base_environment(added: Mapping[str, str], study_uid: str) -> dict[bytes, bytes]:
    """Return the variables that all processes of a study have, encoded once for all of them."""
    own = {f"HPO_{name}" for name in JOB_VARIABLES}
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    return encoded({**inherited, **added, "HPO_STUDY_UID": study_uid})


def encoded(variables: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return variables as the system takes them."""
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}


# -- the exit of a process ------------------------------------------------------------------------


class Exit:
    """A file descriptor that becomes readable when a process has ended, reaped or not."""

    def __init__(self, descriptor: int, owner: Any = None) -> None:
        self._descriptor = descriptor
        self._owner = owner  # closes the descriptor, if there is one

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Free the descriptor."""
        if self._owner is None:
            os.close(self._descriptor)
        else:
            self._owner.close()


def watch_exit(pid: int) -> Exit:
    """Return something that becomes readable when a process ends.

    Linux has pidfds and macOS kqueues for it. Older kernels get a thread that waits for a child;
    of a process that is no child it says at once that it has ended.

    Raises:
        ProcessLookupError: If there is no such process, on Linux.
        OSError: If there are too many open files.
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
    """Return a pipe's reading end; a thread closes the other one when the child has ended."""
    reading, writing = os.pipe()

    def wait() -> None:
        with contextlib.suppress(ChildProcessError):  # gone, or never a child
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # seen, and left for others to reap
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
