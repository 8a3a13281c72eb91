"""Ending what an earlier controller, or a job that left its group, has left running.

Every process of a study carries marks in its environment, and so does all that it starts: the
study's uid, and a command's the id of its job, a worker's its number. What clears its environment
*and* leaves its group is not found.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence, Set

from hpo_core.backends.local.processes import watch_exit
from hpo_core.model.errors import BackendError

_PATIENCE = 10.0
"""Seconds in which a process must be gone after SIGKILL."""

_WATCHED = 16
"""How many are watched at once, a descriptor each, however many have been killed."""

_BEGINS = 1.0
"""Seconds in which a process has begun the program that it is about to begin."""

_STAYS_A_STRANGER = 1.0
"""Seconds for which a process that is none of the study's is not looked at again: in less time the
system does not give its number to another one."""


class Sweeper:
    """Ends what jobs have left, one job after the other, and looks at each stranger but once.

    Args:
        study_uid: The study.
    """

    def __init__(self, study_uid: str) -> None:
        self._study_uid = study_uid
        self._strangers: set[int] = set()
        self._since = -_STAYS_A_STRANGER

    def end(self, mark: str) -> None:
        """Kill the processes that carry a mark, such as ``"HPO_JOB_ID=7.1"``; see `end_leftovers`.

        Raises:
            BackendError: If one can't be ended.
        """
        if time.monotonic() - self._since > _STAYS_A_STRANGER:
            self._since = time.monotonic()
            self._strangers.clear()
        _end((_of_study(self._study_uid), mark), self._strangers)


def end_leftovers(
    study_uid: str, spared_marks: Sequence[str] = (), spared: Sequence[int] = ()
) -> None:
    """Kill all processes of a study, with their groups, and wait until they are gone.

    Args:
        study_uid: The study.
        spared_marks: Whoever carries one of these is spared.
        spared: Processes that are spared.

    Raises:
        BackendError: If one can't be ended.
    """
    of_study = _of_study(study_uid)
    left = set(spared).union(*(_find((of_study, mark), None) for mark in spared_marks))
    _end((of_study,), None, left)


def find(study_uid: str) -> list[int]:
    """Return the ids of this user's processes that carry the uid, without this one's own."""
    return _find((_of_study(study_uid),), None)


def _of_study(study_uid: str) -> str:
    return f"HPO_STUDY_UID={study_uid}"


def _end(
    marks: tuple[str, ...], strangers: set[int] | None, spared: Set[int] = frozenset()
) -> None:
    until = time.monotonic() + _PATIENCE
    while pids := [pid for pid in _find(marks, strangers) if pid not in spared]:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                _kill(pid)
        if time.monotonic() > until:
            raise BackendError(
                f"processes of this study can't be ended: {', '.join(map(str, pids))}; see what "
                "holds them up"
            )
        _wait_for(pids[:_WATCHED], until)


def _kill(pid: int) -> None:
    group = os.getpgid(pid)
    if group == os.getpgrp():
        os.kill(pid, signal.SIGKILL)
    else:
        os.killpg(group, signal.SIGKILL)


def _wait_for(pids: Sequence[int], until: float) -> None:
    """Wait until processes have ended, or until a moment."""
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                end = watch_exit(pid)
                stack.callback(end.close)
                selector.register(end, selectors.EVENT_READ)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                selector.unregister(key.fileobj)


# -- finding them ---------------------------------------------------------------------------------


def _find(marks: tuple[str, ...], strangers: set[int] | None) -> list[int]:
    """Return who carries all marks, the study's first; add who does not carry that to strangers."""
    found = _in_proc(marks, strangers) if sys.platform == "linux" else _from_ps(marks)
    return [pid for pid in found if pid != os.getpid()]


def _in_proc(marks: tuple[str, ...], strangers: set[int] | None) -> list[int]:
    study, *others = [f"\0{mark}\0".encode() for mark in marks]
    known = strangers or ()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in known:
            try:
                carried = _environment(name)
            except OSError:  # it has ended meanwhile, or keeps to itself
                carried = b""
            if study in carried:
                if all(mark in carried for mark in others):
                    found.append(int(name))
            elif strangers is not None:
                strangers.add(int(name))
    return found


def _environment(process: str) -> bytes:
    """Return the variables that a process was started with; nothing of those of other users.

    A process that is just beginning another program has none yet: that is waited for, for which
    the system has no event.
    """
    if os.stat(f"/proc/{process}").st_uid != os.getuid():
        return b""
    until = time.monotonic() + _BEGINS
    while True:
        with open(f"/proc/{process}/environ", "rb") as file:
            variables = file.read()
        if variables or not _is_beginning(process) or time.monotonic() > until:
            return b"\0" + variables + b"\0"
        time.sleep(0.0001)


def _is_beginning(process: str) -> bool:
    """Say whether a process has a program, but no memory yet where its environment is to be."""
    os.readlink(f"/proc/{process}/exe")  # fails for what has ended, and for the kernel's own
    with open(f"/proc/{process}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return fields[48] == b"0"  # env_end, the 51st of all


def _from_ps(marks: tuple[str, ...]) -> list[int]:
    """Return the same where there is no /proc: from ``ps``, which macOS has."""
    listing = subprocess.run(
        ["ps", "-xEww", "-o", "pid=,command="], capture_output=True, check=True, text=True
    )
    lines = [line.split() for line in listing.stdout.splitlines()]
    return [int(words[0]) for words in lines if set(marks) <= set(words[1:])]
