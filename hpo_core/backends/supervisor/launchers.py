"""Fork the launchers of jobs, and reap them."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
from collections.abc import Mapping, Sequence

from hpo_core.backends.supervisor.launcher import become_launcher


class Launchers:
    """The launchers that this process has forked, and those of its template.

    Args:
        environment: The variables of commands, without those of each job.
    """

    def __init__(self, environment: Mapping[bytes, bytes]) -> None:
        self._environment = environment
        self._let_go: list[int] = []  # those that are about to end

    def fork(self, cpus: Sequence[int]) -> tuple[socket.socket, int]:
        """Fork a launcher of commands, or of a new worker process, for certain CPUs or all."""
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            try:
                gc.disable()  # what would be collected here may own a descriptor that is closed
                _close_all_but(theirs.fileno())
                if cpus:
                    os.sched_setaffinity(0, cpus)
                become_launcher(theirs, self._environment)
            finally:  # whatever it is, it must not reach this copy of the supervisor
                os._exit(1)
        theirs.close()
        return ours, pid

    def let_go(self, pid: int) -> None:
        """Register that a launcher is about to end."""
        self._let_go.append(pid)

    def reap(self) -> None:
        """Reap released launchers that have ended."""
        for pid in list(self._let_go):
            try:
                has_ended = bool(os.waitpid(pid, os.WNOHANG)[0])
            except ChildProcessError:  # it is a template's
                has_ended = True
            if has_ended:
                self._let_go.remove(pid)


def _close_all_but(descriptor: int) -> None:
    """Close all descriptors but one and the standard ones, in a process that was just forked."""
    os.closerange(3, descriptor)  # which makes room for the descriptor of the list
    for name in os.listdir("/dev/fd"):
        if int(name) > 2 and int(name) != descriptor:
            with contextlib.suppress(OSError):
                os.close(int(name))
