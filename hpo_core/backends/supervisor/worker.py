"""What runs in a worker process: the study's function, job after job.

from a worker    ["ready"]   ["report", iteration, metrics]
                 ["finished", outcome, reason, metrics]
to a worker      ["function"]  with a descriptor, at first: one that it can't import
                 ["job", id, trial, configuration, iterations, checkpoints, log]
                 ["go"]: a report is recorded, and the job may go on   ["stop"]
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
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

from hpo_core import client
from hpo_core.backends import logs
from hpo_core.backends.functions import Call, caller, described, load, shortened, unpickle
from hpo_core.backends.supervisor.connection import BlockingConnection
from hpo_core.backends.supervisor.start_retry import NO_ROOM
from hpo_core.model.values import Configuration

LINE_CLOSED = 74
"""The exit status of a worker whose job has closed its socket (EX_IOERR)."""

_log = logs.ReusedLog()
"""Collects the output of all jobs of this process except the first, whose log already exists."""


def loaded(sock: socket.socket, function: str, directory: str, is_sent: bool) -> Call | str:
    """Return a wrapper of the study's function, or the reason why it cannot be loaded.

    Args:
        sock: The socket to the supervisor.
        function: The function's reference or name.
        directory: The folder that is searched for modules first.
        is_sent: Whether the supervisor sends it, since this process can't import it.
    """
    try:
        if not is_sent:
            return caller(load(function, directory))
        connection = BlockingConnection(sock)
        connection.receive()
        return caller(unpickle(function, connection.descriptors.popleft(), directory))
    except BaseException as error:  # noqa: BLE001  # whatever it is, each job says so
        return f"cannot load {function!r}: {described(error)}"
    finally:
        _flush()


def set_up(arguments: list[str]) -> None:
    """Prepare this process for loading a study's function.

    Args:
        arguments: The controller's ``sys.argv``, for scripts that read it when they are loaded.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(  # type: ignore[union-attr]  # at the start they are text files
                encoding="utf-8", errors="backslashreplace", line_buffering=True
            )
    sys.argv[:] = arguments


class Worker:
    """Runs jobs.

    Args:
        sock: The socket to the supervisor.
        call: Calls the function; or the reason why it cannot be loaded.
        metric: The metric of a number that the function returns.
        decides: Whether each report waits for the controller's answer.
    """

    def __init__(
        self, sock: socket.socket, call: Call | str, metric: str | None, decides: bool
    ) -> None:
        self._supervisor = BlockingConnection(sock)
        self._call = call
        self._metric = metric
        self._decides = decides
        self._reporting = threading.Lock()  # a function may report from threads of its own
        self._job: str | None = None
        self._is_first = True  # whether no job has run here yet
        self._stopped = False
        self._pid = os.getpid()
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet(threading.enumerate())
        self._left: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

    def run(self) -> NoReturn:
        """Run jobs until the supervisor ends; then end this process and its group."""
        with _or_exit():
            self._supervisor.send("ready")
        while True:
            kind, *told = self._receive(waits=True)
            if kind == "job":  # a stop may be late, for an earlier job
                self._finish(*self._run(*told))

    def _run(
        self,
        job_id: str,
        trial_id: int,
        values: Mapping[str, Any],
        iterations: int | None,
        folder: str,
        log: str,
    ) -> tuple[str, str, Mapping[str, float] | None]:
        """Run a job, and return its outcome, the reason and the returned metrics."""
        if isinstance(self._call, str):
            return "failed", self._call, None
        if self._is_first:
            logs.write_to(log)
        else:
            _log.begin(log)
        self._job, self._stopped = job_id, False
        info = client.JobInfo(job_id, trial_id, Configuration(values), iterations, folder)
        client.process_wide[:] = [client.ConnectedJob(info, partial(self._report, job_id))]
        try:
            return self._outcome(self._call, info)
        finally:
            if os.getpid() != self._pid:  # the function has forked, and this is the child
                _flush()
                os._exit(0)
            with self._reporting:  # its threads may still wait for an answer
                self._job = None
            client.process_wide.clear()
            self._left.update(set(threading.enumerate()) - set(self._threads))
            _flush()
            if not self._is_first:
                _log.end(log)
            elif log:
                logs.remove_if_empty(log)
            self._is_first = False

    def _outcome(
        self, call: Call, info: client.JobInfo
    ) -> tuple[str, str, Mapping[str, float] | None]:
        try:
            value = call(info)
        except BaseException as error:  # noqa: BLE001  # any exception ends only the job
            if isinstance(error, client.JobStopped) and self._stopped:
                return "cancelled", "", None
            return "failed", described(error), None
        try:
            return "completed", "", client.returned(value, self._metric)
        except Exception as error:  # noqa: BLE001  # a value's __float__ may raise any exception
            return "failed", shortened(str(error)), None

    def _report(self, job_id: str, iteration: int | None, metrics: Mapping[str, float]) -> None:
        with self._reporting:
            if self._job != job_id or threading.current_thread() in self._left:
                raise RuntimeError(
                    "a thread that an earlier job of this worker has left can't report; let a "
                    "job's threads end before it does"
                )
            if not self._stopped:
                self._say("report", iteration, metrics)
                self._hear_answer()
            if self._stopped:
                raise client.JobStopped("the study wants this job to end here")

    def _finish(self, outcome: str, reason: str, metrics: Mapping[str, float] | None) -> None:
        with self._reporting:
            try:
                self._say("finished", outcome, reason, metrics)
            except ValueError as error:
                self._say("finished", "failed", f"the function returned too much: {error}", None)

    def _say(self, *message: Any) -> None:
        """Send a message.

        Raises:
            ValueError: If it exceeds the limit of the controller.
        """
        client.sized(json.dumps(message))
        with _or_exit():
            self._supervisor.send(*message)

    def _hear_answer(self) -> None:
        """Wait for the answer to a report if the strategy decides; otherwise check for one."""
        while not self._stopped and (answer := self._receive(waits=self._decides)):
            if answer == ["stop"]:
                self._stopped = True
            elif self._decides:
                return

    def _receive(self, *, waits: bool) -> list[Any]:
        try:
            with _or_exit():
                return self._supervisor.receive(waits=waits)
        except EOFError:
            end()


def serve(sock: socket.socket, call: Call | str, metric: str | None, decides: bool) -> NoReturn:
    """Run a worker until the supervisor ends."""
    sock.set_inheritable(False)
    try:
        threading.Thread(target=_wait_for_the_end, args=(sock,), daemon=True).start()
    except RuntimeError:
        os._exit(NO_ROOM)
    Worker(sock, call, metric, decides).run()


def reseed() -> None:
    """Reseed the global random generators of a forked process."""
    modules = sys.modules
    if "random" in modules:
        modules["random"].seed()
    if "numpy.random" in modules:
        modules["numpy.random"].seed()
    if "torch" in modules:
        modules["torch"].seed()


def end() -> NoReturn:
    """End this process and all processes in its group."""
    _log.remove()
    os.killpg(0, signal.SIGKILL)
    raise SystemExit  # not reached: the signal is never refused


def _wait_for_the_end(sock: socket.socket) -> None:
    """Wait until the supervisor ends, even during a job; then end this process."""
    hang_up = select.poll()
    hang_up.register(sock, 0)
    hang_up.poll()
    end()


@contextlib.contextmanager
def _or_exit() -> Any:
    """End this process if its socket is unusable because the job has closed it."""
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        end()
    except BlockingIOError:
        raise
    except OSError:
        os._exit(LINE_CLOSED)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the function may have closed or replaced it
            stream.flush()
