"""sbatch, squeue, scancel and scontrol, one after the other in a thread of their own."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import TypeAlias

from hpo_core.plugin import BackendError

ANSWERS_IN = 120.0
"""Seconds after which a command that has not answered is ended. Slurm's own limits are shorter."""

_BUSY = (
    "unable to contact",
    "timed out",
    "connection refused",
    "temporarily",
    "zero bytes were transmitted",
    "not connected",
    "communication",
    "backup controller",
    "node(s) busy",
    "nodes are busy",
    "down, drained or reserved",
    "submit limit",
    "submitjob",
    "maxsubmit",
    "job/step already completing or completed",
)
"""What Slurm says of conditions that pass, in small letters."""


class SlurmError(Exception):
    """A command has failed.

    Attributes:
        passes: Whether trying again later may help.
    """

    def __init__(self, command: str, message: str, *, passes: bool | None = None) -> None:
        super().__init__(f"{command}: {message}")
        found = any(words in message.lower() for words in _BUSY)
        self.passes = found if passes is None else passes


def environment() -> dict[str, str]:
    """Return the environment of commands: without what an outer Slurm job has set for itself."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == "SLURM_CONF" or not name.startswith(("SLURM_", "SLURMD_", "SBATCH_ARRAY"))
    }


def run(command: str, *arguments: str, text: str = "") -> str:
    """Run a command, and return its output.

    Raises:
        SlurmError: If it fails.
        BackendError: If it is not installed.
    """
    try:
        ended = subprocess.run(
            [command, *arguments],
            input=text,
            env=environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWERS_IN,
            check=False,
            start_new_session=True,  # Ctrl-C is the controller's
        )
    except FileNotFoundError:
        raise BackendError(
            f"there is no command {command!r} on PATH; the backend slurm runs where Slurm's "
            "commands do, such as on a login node"
        ) from None
    except subprocess.TimeoutExpired:
        raise SlurmError(command, f"timed out after {ANSWERS_IN:g} s", passes=True) from None
    if ended.returncode:
        said = " ".join(
            line.removeprefix(f"{command}: ").removeprefix("error: ").strip()
            for line in ended.stderr.splitlines()
        )
        raise SlurmError(command, said or f"exit status {ended.returncode}")
    return ended.stdout


Task: TypeAlias = Callable[[], object]


class CommandThread:
    """Runs tasks in one thread, in order, so that a controller never waits for Slurm.

    Args:
        fail: Called in that thread with an exception that a task has raised.
    """

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._fail = fail
        self._thread: threading.Thread | None = None

    def do(self, task: Task) -> None:
        """Run a task soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hpo-slurm", daemon=True)
            self._thread.start()
        self._tasks.put(task)

    def close(self) -> None:
        """Run what was given so far, and end."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception as error:  # noqa: BLE001  # told in the controller's thread
                self._fail(error)


def config() -> dict[str, str]:
    """Return the configuration of the cluster.

    Raises:
        SlurmError: If Slurm does not answer.
        BackendError: If it is not installed.
    """
    lines = run("scontrol", "show", "config").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def number(configured: dict[str, str], name: str, default: int) -> int:
    """Return a number of the cluster's configuration, without its unit."""
    words: Sequence[str] = configured.get(name, "").split()
    return int(words[0]) if words and words[0].isdigit() else default
