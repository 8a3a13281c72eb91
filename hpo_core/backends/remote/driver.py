"""The driver's end of the connection to its controller: what the module of a driver calls."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

import msgspec

from hpo_core.backends.remote.driver_messages import DriverAnswer, DriverFailed

S = TypeVar("S", bound=msgspec.Struct)

Say: TypeAlias = Callable[[DriverAnswer], None]
"""Sends an answer to the controller; from any thread."""

ENDED_IN = 60
"""Seconds in which the driver and the workers of an earlier session on this machine have ended."""


def run_driver(
    settings: type[S],
    drive: Callable[[S, Say], None],
    *,
    lock: Callable[[S], str],
    reason_of: Callable[[Exception], str],
) -> int:
    """Be a driver until standard input is closed; return the exit status.

    What is printed meanwhile goes to standard error.

    Args:
        settings: The type of its settings.
        drive: Says `DriverReady`, and then carries out the requests on standard input, each a line
            with a `DriverRequest` as JSON.
        lock: Returns the file that drivers and workers on this machine lock while they live, or
            ``""``. Those of an earlier session have ended before `drive` is called.
        reason_of: Returns the text of an error that `drive` raises.
    """
    out = open(os.dup(1), "wb", buffering=0)  # noqa: SIM115  # for answers alone
    os.dup2(2, 1)
    writing = threading.Lock()

    def say(answer: DriverAnswer) -> None:
        with writing, contextlib.suppress(OSError):  # the controller is gone
            out.write(msgspec.json.encode(answer) + b"\n")

    told = msgspec.json.decode(sys.stdin.buffer.readline(), type=settings)
    try:
        with _alone(lock(told)):
            drive(told, say)
    except Exception as error:
        say(DriverFailed(reason_of(error)))
        raise
    return 0


def _too_late(*_: object) -> None:
    raise TimeoutError(
        f"the processes of an earlier session have not ended in {ENDED_IN} s; see `ps`, end them, "
        "and resume the study"
    )


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Wait until the driver and workers of an earlier session on this machine have ended."""
    if not path:
        yield
        return
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "a") as file:
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(ENDED_IN)
        fcntl.flock(file, fcntl.LOCK_EX)
        signal.alarm(0)
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
