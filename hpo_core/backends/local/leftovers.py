"""Ending what a study's earlier controller, or a job that left its group, has left running.

Every process of a study carries the study's uid in its environment, and so do all that it starts.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time

from hpo_core.backends.local.processes import watch_exit
from hpo_core.model.errors import BackendError

_PATIENCE = 10.0
"""Seconds in which a process must be gone after SIGKILL."""


def end_leftovers(study_uid: str) -> None:
    """Kill all processes of a study, with their groups, and wait until they are gone.

    Raises:
        BackendError: If one can't be ended.
    """
    until = time.monotonic() + _PATIENCE
    while pids := find(study_uid):
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    end = watch_exit(pid)
                    stack.callback(end.close)
                    selector.register(end, selectors.EVENT_READ)
                    _kill(pid)
            while selector.get_map():
                gone = selector.select(max(until - time.monotonic(), 0.0))
                for key, _ in gone:
                    selector.unregister(key.fileobj)
                if not gone or time.monotonic() > until:
                    raise BackendError(
                        f"processes of this study can't be ended: "
                        f"{', '.join(map(str, find(study_uid)))}; see what holds them up"
                    )


def find(study_uid: str) -> list[int]:
    """Return the ids of this user's processes that carry the uid, without this one's own."""
    found = _in_proc(study_uid) if sys.platform == "linux" else _from_ps(study_uid)
    return [pid for pid in found if pid != os.getpid()]


def _kill(pid: int) -> None:
    group = os.getpgid(pid)
    if group == os.getpgrp():
        os.kill(pid, signal.SIGKILL)
    else:
        os.killpg(group, signal.SIGKILL)


def _in_proc(study_uid: str) -> list[int]:
    mark = f"\0HPO_STUDY_UID={study_uid}\0".encode()
    user = os.getuid()
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile, or keeps to itself
                if entry.stat().st_uid == user:
                    with open(f"/proc/{entry.name}/environ", "rb") as file:
                        if mark in b"\0" + file.read() + b"\0":
                            found.append(int(entry.name))
    return found


def _from_ps(study_uid: str) -> list[int]:
    """Return the same where there is no /proc: from ``ps``, which macOS has."""
    listing = subprocess.run(
        ["ps", "-xEww", "-o", "pid=,command="], capture_output=True, check=True, text=True
    )
    lines = [line.split() for line in listing.stdout.splitlines()]
    return [int(words[0]) for words in lines if f"HPO_STUDY_UID={study_uid}" in words[1:]]
