"""A slot for calls of a function: the launcher has one child, a worker for all calls."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from hpo_core.backends import logs
from hpo_core.backends.supervisor import boot
from hpo_core.backends.supervisor.connection import Connection
from hpo_core.backends.supervisor.launcher import REPORT_FD
from hpo_core.backends.supervisor.loop import Loop
from hpo_core.backends.supervisor.slot import Owner, Slot
from hpo_core.backends.supervisor.supervised_job import SupervisedJob

_FOLLOWED = 0.1
"""Seconds after which the output of a worker's job becomes readable as its log."""

_CLOSING = 1.0
"""Seconds within which a worker that closed its socket by ending has been reaped."""

_REPORT, _FINISHED = b'["report"', b'["finished"'
"""The prefix of a worker's lines."""


class FunctionSlot(Slot):
    """A slot for calls of the study's function: the launcher has one child, a worker for all calls.

    Args:
        sock: The socket to the launcher.
        loop: What waits for it.
        owner: What is told of it.
        decides: Whether each report waits for an answer.
        pid: The process id of the launcher, if known.
        worker: The number of the worker, see `Slot`.
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: Loop[None],
        owner: Owner,
        decides: bool,
        pid: int = 0,
        *,
        worker: int = 0,
    ) -> None:
        super().__init__(sock, loop, owner, pid, worker=worker)
        self._decides = decides
        self._worker: Connection | None = None
        self._is_ready = False  # whether its worker has loaded the function
        self._line = b""  # the start of an incomplete line

    def fork_worker(self, variables: Mapping[str, str], log: str) -> None:
        """Have the launcher, a copy of the template, fork a worker."""
        self._connection.send("fork", variables, log, descriptor=self._open())

    def spawn_worker(
        self,
        given: dict[str, Any],
        variables: dict[str, str],
        pickle: int | None,
        log: str,
        prefix: Sequence[str],
    ) -> None:
        """Have the launcher start a worker as a new process, with a prefix of its command.

        What the worker cannot import is sent to it.
        """
        sent = None if pickle is None else os.dup(pickle)
        arguments = [*prefix, *boot.command("worker", REPORT_FD, **given)]
        self._connection.send(
            "spawn", arguments, arguments[0], variables, log, "", descriptor=self._open()
        )
        if sent is not None and self._worker is not None:
            self._worker.send("function", descriptor=sent)

    def start(self, job: SupervisedJob) -> bool:
        told = job.told
        if self._worker is not None:
            self._worker.send("job", job.id, *told["call"], told["checkpoints"], told["log"])
        if self._worker is None or self._worker.is_broken or not self._worker.is_open:
            return False
        self._take_on(job)
        job.begin(self.leader, time.monotonic())
        self._log = (told["log"], self.leader)
        self._loop.later((self, "log"), _FOLLOWED, partial(logs.name, *self._log))
        return True

    def ask_to_end(self) -> None:
        if self._worker is not None:
            self._worker.send("stop")

    def go_on(self) -> None:
        """Let a job continue that waits for an answer."""
        if self.job is not None and self.job.answer() and self._worker is not None:
            self._worker.send("go")

    def listen(self, listens: bool) -> None:
        if self._worker is not None:
            self._worker.listen(listens)

    def read(self) -> int:
        return 0 if self._worker is None else self._worker.read()

    def close(self) -> None:
        self._close_worker()
        super().close()

    def _open(self) -> int:
        """Open a connection to a worker; return the descriptor of the worker's end."""
        ours, theirs = socket.socketpair()
        self._worker = Connection(ours, self._loop, self._hear, self._lose_worker)
        return theirs.detach()

    def _hear(self, data: bytes) -> None:
        """Forward the worker's messages about its job; detect reports and the end."""
        job = self.job
        if job is None:
            if data == b'["ready"]\n':
                self._is_ready = True
                if self.leader:  # else the launcher has not yet reported the process id
                    self._owner.idle(self)
            else:  # an earlier job still writes there; the worker is not used any more
                self.kill()
            return
        job.hear(data)
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest if rest.startswith(_FINISHED) else rest[: len(_FINISHED)]
        for line in lines:
            if line.startswith(_REPORT):
                if self._decides:
                    job.ask()
                    self._owner.asks(self)
            elif line is lines[-1] and not rest and _is_end(line):
                self._loop.never(self)
                self._loop.never((self, "log"))
                if self._owner.retires:  # with its process ends what that has of a GPU
                    self.kill()
                    return
                self.job = None
                self._owner.ended(job, None)
                self._owner.idle(self)
            else:  # the job wrote this line; the worker is not used any more
                self.kill()
                return

    def _lose_worker(self) -> None:
        """The socket is closed: the worker has ended, or its job has closed the socket."""
        self._loop.later(self, _CLOSING, self._give_up)

    def _give_up(self) -> None:
        if self.job is not None and not self.job.cause:
            self.job.cause = "closed"
        self.kill()

    def _on_started(self, began: float) -> None:
        if self._is_ready:
            self._owner.idle(self)

    def _on_refused(self, number: int | None, text: str) -> None:
        self._lose_all(None, (number, text))

    def _on_exited(self, status: int) -> None:
        self._lose_all(status)

    def _on_launcher_lost(self) -> None:
        self._lose_all(None)

    def _lose_all(self, status: int | None, refusal: tuple[int | None, str] | None = None) -> None:
        """The worker has ended; the next worker gets its own slot."""
        job, self.job = self.job, None
        self._loop.never((self, "log"))
        if job is not None:
            logs.name(*self._log)
        self.close()
        self._owner.gone(self, status, refusal)
        if job is not None:
            self._owner.ended(job, status)

    def _close_worker(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def _is_end(line: bytes) -> bool:
    """Return whether a line reports the end of a job; jobs may write lines that look similar."""
    try:
        kind, outcome, reason, _ = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return False
    is_known = outcome in ("completed", "failed", "cancelled")
    return kind == "finished" and is_known and isinstance(reason, str)
