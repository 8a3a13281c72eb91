"""What a job imports: `report`, and what is known of the job. Standard library alone.

It works alike in a command that hpo-core started, in a function that it called, and in a script
that was started by hand (there `report` prints).
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

try:
    import fcntl
except ImportError:  # not POSIX: there only functions run, in the controller's process
    fcntl = None  # type: ignore[assignment]

LONGEST = 1 << 20
"""The most bytes of a report, as a line of JSON."""

ENDLESS = 1 << 53
"""What an iteration is below: all languages and the store count so far exactly."""

Send: TypeAlias = Callable[["int | None", Mapping[str, float]], None]
"""Takes a report to the controller: the iteration and the metrics."""


class JobStopped(BaseException):
    """The study wants this job to end: `report` raises it in a Python function.

    Let it pass, and the job ends cleanly, as stopped or paused; ``finally`` blocks run. It is no
    `Exception`, so that ``except Exception`` in a training loop does not swallow it.
    """


class LoadingEnds(BaseException):
    """The file that a worker process loads has begun to run a study: it has been read far enough.

    `end_loading` raises it and `loading` catches it; nothing else should.
    """


@dataclass(frozen=True)
class JobInfo:
    """What a job may know of itself.

    Attributes:
        id: The job's id.
        trial_id: The trial's number.
        configuration: The values of the active parameters.
        iterations: How far to train, counted from the trial's beginning; None if not limited.
        folder: The path of `checkpoint_dir`, whether it exists yet or not.
    """

    id: str
    trial_id: int
    configuration: Mapping[str, Any]
    iterations: int | None
    folder: str

    @property
    def checkpoint_dir(self) -> str:
        """A folder kept for the whole trial, so that a later job of it can resume.

        It is made when it is first asked for.
        """
        if self.folder:
            make_folder(self.folder)
        return self.folder


def make_folder(path: str) -> None:
    """Make a folder, and those above it that are missing, for their user alone."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    except FileNotFoundError:
        make_folder(os.path.dirname(path))
        make_folder(path)


@dataclass(frozen=True)
class ConnectedJob:
    """A job with its line to the controller."""

    info: JobInfo
    send: Send


current: ContextVar[ConnectedJob | None] = ContextVar("hpo_core_job", default=None)
"""The job that runs in this thread, where hpo-core called a function."""

process_wide: list[ConnectedJob] = []
"""The job that runs in this whole process, where hpo-core started it; empty or one."""


def report(iteration: int | None = None, /, **metrics: float) -> None:
    """Report what the job measured.

    ``report(3, loss=0.4)`` or ``report(iteration=3, **{"validation/loss": 0.4})``.

    Args:
        iteration: How far the job is (an epoch, a step), counted from the trial's beginning.
        **metrics: Numbers by name. NaN and infinity count as a failed report of that metric.

    Raises:
        JobStopped: In a function that hpo-core called, if the job is to end here.
        TypeError: If a metric is not a number, or the iteration not a whole one.
        ValueError: If a metric's name is not text, or the report longer than a megabyte.
    """
    if "iteration" in metrics:
        iteration = metrics.pop("iteration")  # type: ignore[assignment]  # checked below
    checked = numbers(metrics)
    if iteration is not None:
        iteration = whole(iteration)
    connection = connected()
    if connection is None:
        print(f"report (no job of hpo-core): {_line(iteration, checked)}", file=sys.stderr)
    else:
        connection.send(iteration, checked)


def job() -> JobInfo | None:
    """Return what is known of the running job, or None outside of one."""
    connection = connected()
    return None if connection is None else connection.info


def connected() -> ConnectedJob | None:
    """Return the job of this thread or process, with its line to the controller."""
    connection = current.get()
    if connection is None and not process_wide and "HPO_REPORT_FD" in os.environ:
        process_wide.append(_from_environment(os.environ))
    return connection or (process_wide[0] if process_wide else None)


_loads: list[str] = []


@contextmanager
def loading(reference: str) -> Iterator[None]:
    """Mark that a study's function is being loaded, and end there if a study is begun meanwhile.

    So a script may start its study at its top level: what stands above is all that is loaded.

    Args:
        reference: What is loaded.
    """
    _loads.append(reference)
    try:
        yield
    except LoadingEnds:
        pass
    finally:
        _loads.pop()


def end_loading() -> None:
    """End the loading of a study's function, if that is what runs the caller.

    Whatever begins a study calls this first, so that no study begins itself again in its workers.

    Raises:
        LoadingEnds: If a function is being loaded.
    """
    if _loads:
        raise LoadingEnds(f"loading {_loads[-1]} ends where a study begins")


def numbers(metrics: Mapping[Any, Any]) -> dict[str, float]:
    """Return metrics as plain floats by name.

    Raises:
        TypeError: If one is not a number.
        ValueError: If a name is not text (it holds half a character).
    """
    plain = {str(name): number(value, str(name)) for name, value in metrics.items()}
    try:
        "".join(plain).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"a metric's name is not text in UTF-8: {error.object!r}") from None
    return plain


def number(value: Any, name: str) -> float:
    """Return a metric's value as a plain float (numpy scalars and one-element tensors too).

    Raises:
        TypeError: If it is not a number.
    """
    if type(value) in (float, int):
        return float(value)
    if isinstance(value, str | bytes | bool) or not hasattr(value, "__float__"):
        raise TypeError(f"the metric {name!r} must be a number, got {value!r}")
    return float(value)


def whole(iteration: Any) -> int:
    """Return an iteration as a plain int.

    Raises:
        TypeError: If it is not a whole number, 0 or more, and less than 2^53.
    """
    try:
        plain = iteration.__index__()
    except AttributeError:
        plain = -1
    if isinstance(iteration, bool) or not 0 <= plain < ENDLESS:
        raise TypeError(f"an iteration is a whole number, 0 or more; got {iteration!r}")
    return int(plain)


def returned(value: Any, metric: str | None) -> dict[str, float] | None:
    """Return what a function returned as metrics.

    Args:
        value: A number, a mapping of metrics, or None if the function has reported.
        metric: The name of the one objective's metric, or None if there are several.

    Raises:
        TypeError: If it is not one of these.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return numbers(value)
    if metric is None:
        raise TypeError(
            f"the function returned {value!r}; with several objectives return a mapping of metrics"
        )
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(
            f"the function returned {value!r}; return a number, a mapping of metrics, or nothing"
        )
    return {metric: number(value, metric)}


def sized(line: str) -> bytes:
    """Return a line of JSON as it is sent.

    Raises:
        ValueError: If it is too long for the controller to take.
    """
    data = line.encode() + b"\n"
    if len(data) > LONGEST:
        raise ValueError(
            f"a report may have {LONGEST:,} bytes, and this one has {len(data):,}; report fewer "
            "metrics, or write what is not a metric to the checkpoint folder"
        )
    return data


def _line(iteration: int | None, metrics: Mapping[str, float]) -> str:
    said = metrics if iteration is None else {"iteration": iteration, **metrics}
    return json.dumps(said)


def _from_environment(variables: Mapping[str, str]) -> ConnectedJob:
    iterations = variables.get("HPO_ITERATIONS")
    info = JobInfo(
        id=variables["HPO_JOB_ID"],
        trial_id=int(variables["HPO_TRIAL_ID"]),
        configuration=json.loads(variables["HPO_CONFIGURATION"]),
        iterations=int(iterations) if iterations else None,
        folder=variables.get("HPO_CHECKPOINT_DIR", ""),
    )
    descriptor = int(variables["HPO_REPORT_FD"])

    def send(iteration: int | None, metrics: Mapping[str, float]) -> None:
        data = sized(_line(iteration, metrics))
        with _whole_line(descriptor):
            while data:
                data = data[os.write(descriptor, data) :]

    return ConnectedJob(info, send)


_writing = threading.Lock()
"""Held by the thread of this process that writes a line."""


def _renew_lock() -> None:
    """Make the lock of a forked process: another thread may have held it, which is not copied."""
    global _writing
    _writing = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def _whole_line(descriptor: int) -> Iterator[None]:
    """Let no other thread, and no other process of this job, write into a line.

    The system keeps apart only what is written at once, and of a pipe that is 4,096 bytes.
    """
    with _writing:
        if fcntl is None:
            yield
            return
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(descriptor, fcntl.LOCK_UN)
