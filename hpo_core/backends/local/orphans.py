"""Finding and ending what nobody looks after: processes of a study without a living supervisor.

Every process of a study carries the study's uid in its environment, and so does all that it
starts; a command carries the id of its job as well. What clears its environment *and* leaves its
supervisor's descendants is not found.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence, Set

from hpo_core.backends.supervisor.processes import (
    PATIENCE,
    kill_with_group,
    parents,
    watch_exit,
)
from hpo_core.model.errors import BackendError

_WATCHED = 16
"""How many are watched at once, a descriptor each, however many have been killed."""

_BEGINS = 1.0
"""Seconds in which a process has begun the program that it is about to begin."""


def find(study_uid: str) -> list[int]:
    """Return the ids of this user's processes that carry the uid, without this one's own."""
    return _find((_of_study(study_uid),))


def end_orphans(study_uid: str, supervisors: Sequence[int] = (), jobs: Sequence[str] = ()) -> None:
    """Kill the processes of a study, with their groups, and wait until they are gone.

    Args:
        study_uid: The study.
        supervisors: These are spared, with all their descendants.
        jobs: What carries the id of one of these jobs is spared, too, where orphans are nobody's
            descendants (macOS).

    Raises:
        BackendError: If one can't be ended.
    """
    _end((_of_study(study_uid),), frozenset(supervisors), study_uid, jobs)


def end_job(study_uid: str, job_id: str) -> None:
    """Kill the processes that carry the id of a job; see `end_orphans`."""
    _end((_of_study(study_uid), _of_job(job_id)), frozenset(), study_uid, ())


def cannot_end(pids: Sequence[int]) -> BackendError:
    """Return the error for processes that live on after SIGKILL."""
    return BackendError(
        f"processes of this study can't be ended: {', '.join(map(str, pids))}; see what holds "
        "them up"
    )


def _of_study(study_uid: str) -> str:
    return f"HPO_STUDY_UID={study_uid}"


def _of_job(job_id: str) -> str:
    return f"HPO_JOB_ID={job_id}"


def _end(
    marks: tuple[str, ...], supervisors: Set[int], study_uid: str, jobs: Sequence[str]
) -> None:
    until = time.monotonic() + PATIENCE
    spared = set[int]()
    if sys.platform != "linux":
        spared.update(*(_find((_of_study(study_uid), _of_job(job_id))) for job_id in jobs))
    while pids := [
        pid for pid in _without_descendants(_find(marks), supervisors) if pid not in spared
    ]:
        for pid in pids:
            kill_with_group(pid)
        if time.monotonic() > until:
            raise cannot_end(pids)
        _wait_for(pids[:_WATCHED], until)


def _without_descendants(pids: Sequence[int], of: Set[int]) -> list[int]:
    """Return those processes that neither are among some others nor descend from them."""
    if not of or not pids:
        return list(pids)
    parent_of = parents()

    def descends(pid: int) -> bool:
        while pid > 1:
            if pid in of:
                return True
            pid = parent_of.get(pid, 0)
        return False

    return [pid for pid in pids if not descends(pid)]


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


def _find(marks: tuple[str, ...]) -> list[int]:
    found = _in_proc(marks) if sys.platform == "linux" else _from_ps(marks)
    return [pid for pid in found if pid != os.getpid()]


def _in_proc(marks: tuple[str, ...]) -> list[int]:
    wanted = [f"\0{mark}\0".encode() for mark in marks]
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile, or hides from others
                carried = _environment(name)
                if all(mark in carried for mark in wanted):
                    found.append(int(name))
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
