"""The module that jobs import: `report` and `job`. Uses only the standard library.

It works the same in a command that hpo-core started and in a function that it called. In a script
started by hand, `report` prints.
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
except ImportError:  # not POSIX, where only functions run, in the controller's process
    fcntl = None  # type: ignore[assignment]

LONGEST = 1 << 20
"""Maximum size of a report in bytes, as a line of JSON."""

ENDLESS = 1 << 53
"""Upper bound of an iteration: all languages and the store represent smaller integers exactly."""

Send: TypeAlias = Callable[["int | None", Mapping[str, float]], None]
"""Sends a report to the controller: the iteration and the metrics."""


class JobStopped(BaseException):
    """Raised by `report` in a Python function when the job should end.

    Do not catch it: the job then ends cleanly, as stopped or paused, and ``finally`` blocks run. It
    does not derive from `Exception`, so ``except Exception`` in a training loop does not catch it.
    """


class LoadingEnds(BaseException):
    """The file that a worker process is loading has started a study; loading stops there.

    `end_loading` raises it and `loading` catches it; nothing else should.
    """


@dataclass(frozen=True)
class JobInfo:
    """Information about the running job.

    Attributes:
        id: The job's id.
        trial_id: The trial's number.
        configuration: The values of the active parameters.
        iterations: Number of iterations to train, counted from the start of the trial; None if
            unlimited.
        folder: The path of `checkpoint_dir`, which may not exist yet.
    """

    id: str
    trial_id: int
    configuration: Mapping[str, Any]
    iterations: int | None
    folder: str

    @property
    def checkpoint_dir(self) -> str:
        """A folder for checkpoints, shared by all jobs of the trial, so that a later job can
        resume.

        It is created on first access.
        """
        if self.folder:
            make_folder(self.folder)
        return self.folder


def make_folder(path: str) -> None:
    """Create a folder and its missing parents, accessible only to the user."""
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
    """A job with its connection to the controller."""

    info: JobInfo
    send: Send


current: ContextVar[ConnectedJob | None] = ContextVar("hpo_core_job", default=None)
"""The job that runs in this thread, for functions that hpo-core calls."""

process_wide: list[ConnectedJob] = []
"""The job that runs in this process, if hpo-core started it; empty or a single element."""


def report(iteration: int | None = None, /, **metrics: float) -> None:
    """Report metrics of the running job.

    ``report(3, loss=0.4)`` or ``report(iteration=3, **{"validation/loss": 0.4})``.

    Args:
        iteration: The current iteration (an epoch, a step), counted from the start of the trial.
        **metrics: Metrics by name. NaN and infinity count as a failed report of that metric.

    Raises:
        JobStopped: In a function that hpo-core called, if the job should end.
        TypeError: If a metric is not a number, or the iteration is not an integer.
        ValueError: If a metric's name is not valid text, or the report is longer than a megabyte.
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
    """Return information about the running job, or None outside of a job."""
    connection = connected()
    return None if connection is None else connection.info


def connected() -> ConnectedJob | None:
    """Return the job of this thread or process, with its connection to the controller."""
    connection = current.get()
    if connection is None and not process_wide and "HPO_REPORT_FD" in os.environ:
        process_wide.append(_from_environment(os.environ))
    return connection or (process_wide[0] if process_wide else None)


_loads: list[str] = []


@contextmanager
def loading(reference: str) -> Iterator[None]:
    """Mark that a study's function is being loaded; stop loading if the file starts a study.

    Thus a script may start its study at top level: only the code above is executed.

    Args:
        reference: The reference of the function.
    """
    _loads.append(reference)
    try:
        yield
    except LoadingEnds:
        pass
    finally:
        _loads.pop()


def end_loading() -> None:
    """Stop loading a study's function, if the caller runs as part of that.

    Everything that starts a study calls this first, so a study does not start itself in its
    workers.

    Raises:
        LoadingEnds: If a function is being loaded.
    """
    if _loads:
        raise LoadingEnds(f"loading {_loads[-1]} ends where a study begins")


def numbers(metrics: Mapping[Any, Any]) -> dict[str, float]:
    """Convert metrics to plain floats by name.

    Raises:
        TypeError: If a metric is not a number.
        ValueError: If a name is not valid text (it contains a lone surrogate).
    """
    plain = {str(name): number(value, str(name)) for name, value in metrics.items()}
    try:
        "".join(plain).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"a metric's name is not text in UTF-8: {error.object!r}") from None
    return plain


def number(value: Any, name: str) -> float:
    """Convert a metric's value to a plain float; numpy scalars and one-element tensors are
    accepted.

    Raises:
        TypeError: If it is not a number.
    """
    if type(value) in (float, int):
        return float(value)
    if isinstance(value, str | bytes | bool) or not hasattr(value, "__float__"):
        raise TypeError(f"the metric {name!r} must be a number, got {value!r}")
    return float(value)


def whole(iteration: Any) -> int:
    """Convert an iteration to a plain int.

    Raises:
        TypeError: If it is not an integer, 0 or more, and less than 2^53.
    """
    try:
        plain = iteration.__index__()
    except AttributeError:
        plain = -1
    if isinstance(iteration, bool) or not 0 <= plain < ENDLESS:
        raise TypeError(f"an iteration is an integer, 0 or more; got {iteration!r}")
    return int(plain)


def returned(value: Any, metric: str | None) -> dict[str, float] | None:
    """Convert the return value of a function to metrics.

    Args:
        value: A number, a mapping of metrics, or None if the function has reported.
        metric: The metric of the only objective, or None if there are several objectives.

    Raises:
        TypeError: If the value is of another type.
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
    """Return a line of JSON as bytes.

    Raises:
        ValueError: If it exceeds the limit of the controller.
    """
    data = line.encode() + b"\n"
    if len(data) > LONGEST:
        raise ValueError(
            f"a report may have at most {LONGEST:,} bytes, and this one has {len(data):,}; "
            f"report fewer metrics, or write other data to the checkpoint folder"
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
"""Held by the thread of this process that is writing a line."""


def _renew_lock() -> None:
    """Replace the lock in a forked process: a thread that was not copied may hold it."""
    global _writing
    _writing = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def _whole_line(descriptor: int) -> Iterator[None]:
    """Prevent other threads and other processes of this job from writing into a line.

    The operating system keeps only single writes intact, on a pipe up to 4,096 bytes.
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
