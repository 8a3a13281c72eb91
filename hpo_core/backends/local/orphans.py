"""Find and kill orphans: processes of a study without a living supervisor.

Every process of a study has the study's uid in its environment, and so do its children. A command
also has the id of its job. A process that clears its environment *and* leaves the descendants of
its supervisor is not found.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

from hpo_core.backends.supervisor.processes import PATIENCE, kill_with_group, watch_exit
from hpo_core.model.errors import BackendError

if TYPE_CHECKING:
    import psutil

_STUDY, _JOB = "HPO_STUDY_UID", "HPO_JOB_ID"

_WATCHED = 16
"""Maximum number of processes watched at once, with a descriptor each."""

_BEGINS = 1.0
"""Maximum time in seconds until a starting process has executed its program."""


def find(study_uid: str) -> list[int]:
    """Return the ids of this user's processes with the uid, without the current one.

    Those of jobs that `hpo_core.backends.remote` has started on this machine are among them.
    """
    return [
        process.pid
        for process in _own_processes()
        if f"{_environment(process).get(_STUDY)}/".startswith(f"{study_uid}/")
    ]


def end_orphans(study_uid: str, supervisors: Sequence[int] = (), jobs: Sequence[str] = ()) -> None:
    """Kill the processes of a study, with their groups, and wait until they are gone.

    Args:
        study_uid: The study.
        supervisors: Processes to spare, with all their descendants.
        jobs: Processes with the id of one of these jobs are also spared where orphans are not
            inherited (macOS).

    Raises:
        BackendError: If a process cannot be killed.
    """
    spared: set[int] = set()
    if sys.platform != "linux":
        for job_id in jobs:
            spared.update(found.pid for found in _processes({_STUDY: study_uid, _JOB: job_id}))
    _end({_STUDY: study_uid}, frozenset(supervisors), spared)


def end_job(study_uid: str, job_id: str) -> None:
    """Kill the processes with the id of a job; see `end_orphans`."""
    _end({_STUDY: study_uid, _JOB: job_id}, frozenset(), frozenset())


def cannot_end(pids: Sequence[int]) -> BackendError:
    """Return the error for processes that survive SIGKILL."""
    return BackendError(
        f"processes of this study cannot be killed: {', '.join(map(str, pids))}; check what "
        f"blocks them"
    )


def _end(marks: Mapping[str, str], supervisors: Set[int], spared: Set[int]) -> None:
    until = time.monotonic() + PATIENCE
    while pids := [
        process.pid
        for process in _processes(marks)
        if process.pid not in spared and not _descends(process, supervisors)
    ]:
        for pid in pids:
            kill_with_group(pid)
        if time.monotonic() > until:
            raise cannot_end(pids)
        _wait_for(pids[:_WATCHED], until)


def _descends(process: psutil.Process, supervisors: Set[int]) -> bool:
    """Return whether a process is, or descends from, a supervisor."""
    import psutil

    if process.pid in supervisors:
        return True
    with contextlib.suppress(psutil.Error):  # it has ended meanwhile
        return any(parent.pid in supervisors for parent in process.parents())
    return False


def _wait_for(pids: Sequence[int], until: float) -> None:
    """Wait until processes have ended, or until a deadline."""
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


def _processes(marks: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Yield this user's processes whose environment has all marks, without the current one."""
    for process in _own_processes():
        if marks.items() <= _environment(process).items():
            yield process


def _own_processes() -> Iterator[psutil.Process]:
    """Yield this user's processes, without the current one."""
    import psutil  # rarely needed, and slow to import

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # ended
            if process.pid != os.getpid() and process.uids().real == os.getuid():
                yield process


def _environment(process: psutil.Process) -> Mapping[str, str]:
    """Return the initial environment of a process; an empty one if it has ended meanwhile.

    A process that is just executing another program has none yet. The system has no event for its
    end, so this is polled.
    """
    import psutil

    until = time.monotonic() + _BEGINS
    with contextlib.suppress(psutil.Error, OSError):
        while True:
            variables: Mapping[str, str] = process.environ()
            if variables or not _is_beginning(process) or time.monotonic() > until:
                return variables
            time.sleep(0.0001)
    return {}


def _is_beginning(process: psutil.Process) -> bool:
    """Return whether a process has a program, but not yet memory for its environment."""
    if sys.platform != "linux" or not process.exe():  # kernel processes have none
        return False
    with open(f"/proc/{process.pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return fields[48] == b"0"  # env_end, the 51st of all
