"""Run one order by the backend `local`; its reports go to a spool and to the controller.

``python -m hpo_core.backends.remote.agent ORDER`` reads an order from a file. With ``-`` it reads a
line from its standard input, and ends with its job once that is closed: its parent has ended.

The agent starts the job only once; it never runs one whose spool exists. It ends the job at a
signal to terminate, if the controller says so, and, unless the order outlives its controller, if
the controller is gone for good.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from hpo_core.backends.local.backend import LocalBackend
from hpo_core.backends.remote.endpoint import Endpoint
from hpo_core.backends.remote.order import JobOrder, order_of
from hpo_core.backends.remote.records import JobEnded, Record, of_event
from hpo_core.backends.remote.reporter import ReportClient
from hpo_core.backends.remote.spool import SpoolWriter
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.contracts.backend import BackendContext, Finished, JobEvent, Outcome
from hpo_core.model.errors import HpoError
from hpo_core.model.failure import FailureCause

BEGUN_BEFORE = 75
"""Exit status of an agent whose job was begun before (EX_TEMPFAIL)."""

SIGNAL_GRACE = 20.0
"""Seconds in which a job should end after its scheduler has sent a signal to terminate."""

_SENDS = 1 << 20
"""Maximum number of bytes in memory that wait to be sent; the rest stays in the spool."""

_UNANSWERED = 64 << 20
"""Maximum number of bytes that the controller has not handled while it is connected."""

_ANSWERS_IN = 5.0
"""Seconds in which the controller should say whether the job is wanted, before it starts."""


class _Clock:
    """The time of this machine, never less than before."""

    _latest = 0.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        self._latest = max(self._latest, time.time())
        return self._latest


class Agent:
    """Runs one job.

    Args:
        order: The order.
        spool: Takes the records of the job.
        name: The name by which the controller knows this agent.
        has_lifeline: Whether the closing of standard input ends the job.
    """

    def __init__(
        self, order: JobOrder, spool: SpoolWriter, name: str, *, has_lifeline: bool
    ) -> None:
        self._name = name
        self._host = socket.gethostname()
        self._clock = _Clock()
        self._loop: Loop[JobEvent] = Loop()
        self._signalled = self._unwanted = self._is_orphaned = False
        self._backend: LocalBackend | None = None
        self._begin(order, spool)
        self._client = ReportClient(
            self._loop,
            name,
            self._endpoint,
            patience=order.patience,
            on_open=self._joined,
            on_message=self._hear,
            on_lost=self._lost,
            on_sent=self._send,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if has_lifeline:
            self._loop.watch(0, self._read_lifeline)

    def run(self) -> None:
        """Run the job to its end, and wait until the controller has its records."""
        self._client.connect()
        until = time.monotonic() + _ANSWERS_IN
        while (
            self._client.is_expected
            and not (self._is_answered or self._is_to_end)
            and (left := until - time.monotonic()) > 0
        ):
            self._loop.run(left)
        self._run_job()
        self._client.close()

    # -- the job --------------------------------------------------------------------------------

    def _begin(self, order: JobOrder, spool: SpoolWriter) -> None:
        """Take an order, of which nothing has happened yet."""
        self._order, self._spool = order, spool
        self._waits_for_decisions = order.decides and order.work["command"] is None
        self._sent = self._answered = 0
        self._cancelled = self._is_answered = self._is_passed_on = False

    def _run_job(self) -> None:
        """Run the job to its end, unless it is to end before, and wait for the controller."""
        if not self._is_to_end:
            self._append(self._end_of_job())
        elif not self._unwanted:
            now = self._clock.now()
            self._append(JobEnded(now, Outcome.CANCELLED, "", None, None, None, self._is_lost))
        self._wait_for_the_controller()

    def _end_of_job(self) -> Record:
        """Run the job; return the record of its end, when none of its processes is left."""
        try:
            if self._backend is None:
                self._backend = LocalBackend(
                    self._context(), loop=self._loop, first_worker=self._order.worker
                )
            backend = self._backend
            backend.submit(self._order.as_job())
            end = self._serve(backend)
        except HpoError as error:
            return JobEnded(
                self._clock.now(), Outcome.FAILED, str(error), None, None, FailureCause.ERROR, False
            )
        finally:
            self._release()
        return of_event(end, self._host, signalled=self._is_lost)

    def _release(self) -> None:
        """Release what the job has used."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def _serve(self, backend: LocalBackend) -> Finished:
        while True:
            if self._signalled and not self._is_passed_on:
                self._is_passed_on = True
                self._end(SIGNAL_GRACE)
            events: Sequence[JobEvent]
            events = self._loop.run(None) if self._waits else backend.events(None)
            for event in events:
                if isinstance(event, Finished):
                    return event
                self._append(of_event(event, self._host, signalled=False))

    def _context(self) -> BackendContext:
        order = self._order
        return BackendContext(
            study=order.study,
            study_uid=f"{order.study_uid}/{self._name}",  # jobs here end independently
            work=order.as_work(),
            workers=1,
            clock=self._clock,
            decides=order.decides,
            deliver=lambda _: None,
        )

    @property
    def _waits(self) -> bool:
        """Whether the job may not go on before the controller has handled what it reported."""
        if self._is_to_end or not self._client.is_expected:
            return False
        if self._waits_for_decisions and self._answered < self._spool.count:
            return True
        return self._spool.size_from(self._answered) > _UNANSWERED

    @property
    def _is_to_end(self) -> bool:
        return self._signalled or self._unwanted or self._cancelled

    @property
    def _is_lost(self) -> bool:
        """Whether its machine ends it, and not the study."""
        return (self._signalled or self._is_orphaned) and not self._cancelled

    def _end(self, grace: float) -> None:
        if self._backend is not None:
            self._backend.cancel(self._order.job_id, grace=grace)
        self._loop.interrupt()

    # -- the controller -------------------------------------------------------------------------

    def _endpoint(self) -> Endpoint | None:
        path = self._order.endpoint_file
        return (Endpoint.read(path) if path else None) or self._order.endpoint

    def _append(self, record: Record) -> None:
        self._spool.append(record)
        self._send()
        if not self._client.is_open:
            self._sync()

    def _send(self) -> None:
        client, spool = self._client, self._spool
        while client.is_open and self._sent < spool.count and client.waiting < _SENDS:
            content = b'["record", %d, %s]' % (self._sent, spool.line(self._sent).rstrip(b"\n"))
            self._sent += 1
            client.send(content)

    def _joined(self) -> None:
        """There is a connection: the controller says what it has."""

    def _hear(self, message: list[Any]) -> None:
        match message:
            case ["have", int(count)]:
                self._is_answered = True
                self._sent = count
                self._send()
            case ["go", int(count)]:
                self._answer(count)
            case ["cancel", int() | float() as grace]:
                self._cancelled = True
                self._end(float(grace))
            case ["gone"]:
                self._give_up()
        self._loop.interrupt()

    def _answer(self, count: int) -> None:
        self._answered = max(self._answered, min(count, self._spool.count))

    def _lost(self) -> None:
        self._sync()
        if not self._order.outlives and not self._client.is_expected:
            self._give_up()
        self._loop.interrupt()

    def _give_up(self) -> None:
        """Nobody wants to know how the job ends."""
        self._unwanted = True
        self._end(0.0)

    def _sync(self) -> None:
        if self._order.spool:  # else nobody reads it but this agent
            self._spool.sync()

    def _wait_for_the_controller(self) -> None:
        self._sync()
        until = time.monotonic() + self._order.patience
        while (
            self._answered < self._spool.count
            and not self._unwanted
            and self._client.is_expected
            and (left := until - time.monotonic()) > 0
        ):
            self._loop.run(left)

    # -- what else may end it -------------------------------------------------------------------

    def _on_signal(self, *_: object) -> None:
        self._signalled = True
        self._loop.wake()

    def _read_lifeline(self) -> None:
        if not os.read(0, 4096):
            self._loop.unwatch(0)
            self._is_orphaned = True
            self._give_up()


def run(order: JobOrder, *, has_lifeline: bool) -> int:
    """Run an order; return the exit status of the agent."""
    become(order)
    path = order.spool or os.path.join(tempfile.mkdtemp(prefix="hpo-"), "spool")
    try:
        spool = SpoolWriter(path)
    except FileExistsError:
        print(f"job {order.job_id} was begun before, and is not run again here", file=sys.stderr)
        return BEGUN_BEFORE
    try:
        Agent(order, spool, order.job_id, has_lifeline=has_lifeline).run()
    finally:
        spool.close()
        if not order.spool:
            os.unlink(path)
            os.rmdir(os.path.dirname(path))
    return 0


def main(source: str) -> int:
    """Read an order from a file or from standard input, and run it."""
    if source != "-":
        with open(source, "rb") as file:
            return run(order_of(file.read()), has_lifeline=False)
    line = first_line()
    return run(order_of(line), has_lifeline=True) if line else 0


def first_line() -> bytes:
    """Read a line from standard input; return nothing if it is closed before the line's end."""
    line = b""
    while not line.endswith(b"\n"):  # by hand: what is buffered could not be waited for
        data = os.read(0, 1 << 16)
        if not data:
            return b""
        line += data
    return line


def become(order: JobOrder) -> None:
    """Take the controller's arguments, and its import path if that is of this environment."""
    sys.argv[:] = order.arguments
    if order.prefix == sys.prefix:
        sys.path[:] = order.path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
