"""What runs in a worker process: the study's function, job after job.

It stands outside of `hpo_core.backends.local`, whose import loads what plugins need: a worker
starts with the standard library and `hpo_core.client` alone. It speaks with the controller over a
socket, a JSON list a line:

    from the worker      ["ready"]   ["report", iteration, metrics]
                         ["finished", outcome, reason, metrics]
    from the controller  ["job", id, trial, configuration, iterations, checkpoints, log]
                         ["go"]: one more report is recorded   ["stop"]

When its controller dies, it goes on with the job that it has, writes down what comes of it (see
`hpo_core.backends.journal`), and ends.
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
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from hpo_core import client
from hpo_core.backends.functions import Call, caller, described, load, shortened
from hpo_core.backends.journal import Journal
from hpo_core.backends.line import Line
from hpo_core.backends.logs import create, remove_if_empty
from hpo_core.model.values import Configuration


class Runner:
    """Runs jobs.

    Args:
        line: The line to the controller.
        call: Calls the function, or what its module raised on being imported.
        metric: What a number that the function returns is called.
        decides: Whether each report waits for the controller's answer.
        journal: What is written when the controller is dead; None to end with it.
    """

    def __init__(
        self,
        line: Line,
        call: Call | str,
        metric: str | None,
        decides: bool,
        journal: Journal | None,
    ) -> None:
        self._line = line
        self._call = call
        self._metric = metric
        self._decides = decides
        self._journal = journal
        self._mark = f"HPO_WORKER={os.environ.get('HPO_WORKER')}"
        self._is_alone = False
        self._is_idle = True
        self._current = ""  # the job that it has, or had last
        self._recorded = 0  # how many of its reports the controller has recorded
        self._unrecorded: list[list[Any]] = []  # what else it has said
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
        with self._reporting:
            self._is_idle, self._current = False, job_id
            self._recorded, self._unrecorded = 0, []
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
                self._say("report", iteration, metrics)
                self._hear_answers()
            if self._stopped:
                raise client.JobStopped("the study wants this job to end here")

    def finish(self, outcome: str, reason: str, metrics: Mapping[str, float] | None) -> None:
        """Say how the job has ended; without a controller this is all that is left to do."""
        with self._reporting:
            try:
                self._say("finished", outcome, reason, metrics)
            except ValueError as error:
                too_much = f"the function returned too much: {error}"
                self._say("finished", "failed", too_much, None)
            self._is_idle = True
            if self._is_alone:
                end()

    def _say(self, kind: str, *said: Any) -> None:
        """Tell the controller, and keep what was said until it is recorded; or write it down."""
        message = [kind, self._current, *said]
        if self._is_alone:
            client.sized(json.dumps(message))
            assert self._journal is not None
            self._journal.add(message)
        else:
            self._line.send(kind, *said)
            self._unrecorded.append(message)

    def _hear_answers(self) -> None:
        """Hear what is recorded; wait for it where each report may be answered by a decision."""
        while self._unrecorded and not (self._stopped or self._is_alone):
            match self._line.receive() if self._decides else self._line.peek():
                case ["go"]:
                    self._recorded += 1
                    del self._unrecorded[0]
                case ["stop"]:
                    self._stopped = True
                case ["dead"]:
                    self._go_on_alone()
                case _:
                    return

    def lose_controller(self) -> None:
        """Go on without a controller; or end, if there is nothing to go on with."""
        with self._reporting:
            self._go_on_alone()

    def _go_on_alone(self) -> None:
        if self._is_alone:
            return
        if self._journal is None:
            end()
        self._is_alone = True
        about = [["job", self._current, os.getpid(), self._recorded, self._mark]]
        self._journal.begin(*(about if self._current else []), *self._unrecorded)
        if self._is_idle:
            end()


def serve(
    descriptor: int,
    function: str,
    directory: str,
    metric: str | None,
    decides: bool,
    arguments: list[str],
    journal: int | None = None,
    folder: str = "",
) -> NoReturn:
    """Serve the controller until it closes the line, then end this process and its group.

    Args:
        descriptor: The socket's file descriptor.
        function: The function's reference.
        directory: Where its module is looked for.
        metric: What a number that it returns is called.
        decides: Whether each report waits for an answer.
        arguments: The controller's ``sys.argv``, for scripts that read it when loaded.
        journal: The descriptor of its journal; None for none.
        folder: The folder of journals.
    """
    sock = socket.socket(fileno=descriptor)
    sock.set_inheritable(False)
    book = None if journal is None else Journal(journal, folder)
    alone: list[Callable[[], None]] = [end]  # until there is a runner, nothing can be lost
    threading.Thread(target=_wait_for_the_end, args=(sock, alone), daemon=True).start()
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
    runner = Runner(line, call, metric, decides, book)
    alone[:] = [runner.lose_controller]
    while True:
        kind, *job = line.receive()
        if kind == "job":  # a stop may come too late for the job that it meant
            runner.finish(*runner.run(*job))
        elif kind == "dead":
            runner.lose_controller()


def end() -> NoReturn:
    """End this process and all that its jobs have left in its group."""
    os.killpg(0, signal.SIGKILL)
    raise SystemExit  # not reached: the signal is never refused


def _wait_for_the_end(sock: socket.socket, alone: Sequence[Callable[[], None]]) -> None:
    """Wait until the controller is gone, be it in the middle of a job."""
    hang_up = select.poll()
    hang_up.register(sock, 0)
    [(_, events)] = hang_up.poll()
    if events & select.POLLNVAL:  # the job has closed the line
        end()
    alone[0]()


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
