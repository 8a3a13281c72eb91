"""What runs in a worker process: the study's function, job after job.

It stands outside of `hpo_core.backends.local`, whose import loads what plugins need: a worker
starts with the standard library and `hpo_core.client` alone. It speaks with the controller over a
socket, a JSON list a line:

    from the worker      ["ready"]   ["report", iteration, metrics]
                         ["finished", outcome, reason, metrics]
    from the controller  ["job", id, trial, configuration, iterations, checkpoints, log]
                         ["go"]   ["stop"]
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NoReturn

from hpo_core import client
from hpo_core.backends.functions import Call, caller, described, load, shortened
from hpo_core.backends.logs import create, remove_if_empty
from hpo_core.model.values import Configuration

LINE_CLOSED = 74
"""The exit status of a worker whose job has closed the line (EX_IOERR)."""


class Line:
    """The worker's end of the line to its controller."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._received = b""

    def send(self, *message: Any) -> None:
        """Send a message.

        Raises:
            ValueError: If it is too long for the controller to take.
        """
        data = client.sized(json.dumps(message))
        with _or_exit():
            self._socket.sendall(data)

    def receive(self) -> list[Any]:
        """Wait for the next message."""
        while b"\n" not in self._received:
            with _or_exit():
                data = self._socket.recv(65536)
            self._take(data)
        return self._next()

    def peek(self) -> list[Any] | None:
        """Return the next message if it is here already."""
        if b"\n" not in self._received:
            try:
                with _or_exit():
                    data = self._socket.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            self._take(data)
        return self._next() if b"\n" in self._received else None

    def _take(self, data: bytes) -> None:
        if not data:
            end()
        self._received += data

    def _next(self) -> list[Any]:
        line, _, self._received = self._received.partition(b"\n")
        message: list[Any] = json.loads(line)
        return message


@contextlib.contextmanager
def _or_exit() -> Iterator[None]:
    """End this process if its line is of no more use."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError:
        os._exit(LINE_CLOSED)


class Runner:
    """Runs jobs.

    Args:
        line: The line to the controller.
        call: Calls the function, or what its module raised on being imported.
        metric: What a number that the function returns is called.
        decides: Whether each report waits for the controller's answer.
    """

    def __init__(self, line: Line, call: Call | str, metric: str | None, decides: bool) -> None:
        self._line = line
        self._call = call
        self._metric = metric
        self._decides = decides
        self._reporting = threading.Lock()  # a function may report from threads of its own
        self._job: str | None = None
        self._stopped = False
        self._own = os.getpid()
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet(threading.enumerate())
        self._left: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

    def run(
        self,
        job_id: str,
        trial_id: int,
        values: Mapping[str, Any],
        iterations: int | None,
        folder: str,
        log: str,
    ) -> tuple[str, str, Mapping[str, float] | None]:
        """Run a job, and return its outcome, a reason and what it returned."""
        if isinstance(self._call, str):
            return "failed", self._call, None
        _write_to(log)
        self._job, self._stopped = job_id, False
        info = client.JobInfo(job_id, trial_id, Configuration(values), iterations, folder)
        client.process_wide[:] = [client.Connection(info, partial(self._report, job_id))]
        try:
            return self._outcome(self._call, info)
        finally:
            if os.getpid() != self._own:  # the function has forked, and this is the child
                _flush()
                os._exit(0)
            with self._reporting:  # its threads may still wait for an answer
                self._job = None
            client.process_wide.clear()
            self._left.update(set(threading.enumerate()) - set(self._threads))
            _flush()
            if log:
                remove_if_empty(log)

    def _outcome(
        self, call: Call, info: client.JobInfo
    ) -> tuple[str, str, Mapping[str, float] | None]:
        try:
            value = call(info)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it ends the job alone
            if isinstance(error, client.JobStopped) and self._stopped:
                return "cancelled", "", None
            return "failed", described(error), None
        try:
            return "completed", "", client.returned(value, self._metric)
        except Exception as error:  # noqa: BLE001  # a value's __float__ may raise anything
            return "failed", shortened(str(error)), None

    def _report(self, job_id: str, iteration: int | None, metrics: Mapping[str, float]) -> None:
        with self._reporting:
            if self._job != job_id or threading.current_thread() in self._left:
                raise RuntimeError(
                    "a thread that an earlier job of this worker has left can't report; let a "
                    "job's threads end before it does"
                )
            if not self._stopped:
                self._line.send("report", iteration, metrics)
                answer = self._line.receive() if self._decides else self._line.peek()
                self._stopped = answer == ["stop"]
            if self._stopped:
                raise client.JobStopped("the study wants this job to end here")


def serve(
    descriptor: int,
    function: str,
    directory: str,
    metric: str | None,
    decides: bool,
    arguments: list[str],
) -> NoReturn:
    """Serve the controller until it closes the line, then end this process and its group.

    Args:
        descriptor: The socket's file descriptor.
        function: The function's reference.
        directory: Where its module is looked for.
        metric: What a number that it returns is called.
        decides: Whether each report waits for an answer.
        arguments: The controller's ``sys.argv``, for scripts that read it when loaded.
    """
    sock = socket.socket(fileno=descriptor)
    sock.set_inheritable(False)
    threading.Thread(target=_end_with_the_controller, args=(sock,), daemon=True).start()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(  # type: ignore[union-attr]  # at the start they are text files
            encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
    sys.argv[:] = arguments
    call: Call | str
    try:
        call = caller(load(function, directory))
    except BaseException as error:  # noqa: BLE001  # whatever it is, every job will say it
        call = f"cannot load {function!r}: {described(error)}"
    _flush()
    line = Line(sock)
    line.send("ready")
    runner = Runner(line, call, metric, decides)
    while True:
        kind, *job = line.receive()
        if kind == "job":  # a stop may come too late for the job that it meant
            outcome, reason, metrics = runner.run(*job)
            try:
                line.send("finished", outcome, reason, metrics)
            except ValueError as error:
                line.send("finished", "failed", f"the function returned too much: {error}", None)


def end() -> NoReturn:
    """End this process and all that its jobs have left in its group."""
    os.killpg(0, signal.SIGKILL)
    raise SystemExit  # not reached: the signal is never refused


def _end_with_the_controller(sock: socket.socket) -> None:
    """Wait until the controller is gone, be it in the middle of a job."""
    hang_up = select.poll()
    hang_up.register(sock, 0)
    hang_up.poll()
    end()


def _write_to(log: str) -> None:
    """Send standard output and error to a file; without one they stay as they are."""
    if log:
        file = create(log)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the function may have closed or replaced it
            stream.flush()
