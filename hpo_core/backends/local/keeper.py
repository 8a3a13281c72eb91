"""A process of its own that starts commands, hears them, and sees how they end.

It is their parent instead of the controller, so that they can outlive it: then it goes on, writes
down what they do (`hpo_core.backends.journal`), and ends with the last of them. It speaks with
its controller over a socket, a JSON list a line:

    to it      ["start", id, arguments, program, variables, log, checkpoints]
               ["end", id, grace]
               ["recorded", {id: [bytes, reports]}, [ids of those whose end is recorded]]
               ["close"]
    from it    ["started", id, pid]   ["refused", id, errno, text]
               ["data", id, text]     ["exited", id, status]
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from hpo_core.backends import logs
from hpo_core.backends.journal import Journal
from hpo_core.backends.local.kept import Kept
from hpo_core.backends.local.lines import Lines
from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.processes import Group, encoded
from hpo_core.backends.local.slot import ReportSlot
from hpo_core.client import make_folder

_UNSENT = 1 << 20
"""Bytes that may wait for the controller; with more of them, jobs are not heard until it reads."""

_UNREAD = 1 << 26
"""Bytes that it writes down; with more of them, jobs are not heard until the next controller."""

_HIGH = 10
"""From which number on it has its own descriptors: the low ones are the commands'."""


class Keeper:
    """Keeps commands.

    Args:
        line: The socket to the controller.
        journal: What to write down when it is dead; None to end with it.
        directory: Where commands run.
        added: Variables of theirs, on top of its own.
    """

    def __init__(
        self,
        line: socket.socket,
        journal: Journal | None,
        directory: str,
        added: Mapping[str, str],
    ) -> None:
        self._line: socket.socket | None = line
        self._journal = journal
        self._directory = directory
        self._slot = ReportSlot()
        self._loop: Loop[None] = Loop()
        self._lines = Lines()
        self._unsent = bytearray()
        self._environment = {**os.environb, **encoded(added)}
        self._jobs: dict[str, Kept] = {}
        line.setblocking(False)
        self._loop.watch(line, self._hear)

    def run(self) -> NoReturn:
        """Serve until the controller closes, or is dead and the last command has ended."""
        while True:
            self._loop.run(None)  # returns when there is something to send
            self._send()

    # -- the controller's words -----------------------------------------------------------------

    def _hear(self) -> None:
        assert self._line is not None
        try:
            data = self._line.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._go_on_alone()
        for line in self._lines.feed(data):
            kind, *said = json.loads(line)
            getattr(self, f"_on_{kind}")(*said)

    def _on_start(
        self,
        job_id: str,
        arguments: list[str],
        program: str,
        variables: dict[str, str],
        log: str,
        checkpoints: str,
    ) -> None:
        output = None
        try:
            output = logs.create(log) if log else None
            if checkpoints:
                make_folder(checkpoints)
            with self._slot.pipe() as reading:
                try:
                    own = {"HPO_REPORT_FD": str(self._slot.number), **variables}
                    group = Group(
                        arguments,
                        self._directory,
                        {**self._environment, **encoded(own)},
                        output,
                        (self._slot.number,),
                        program,
                    )
                except BaseException:
                    os.close(reading)
                    raise
        except (OSError, ValueError) as error:
            self._say("refused", job_id, getattr(error, "errno", None), _said(error))
        else:
            self._jobs[job_id] = Kept(job_id, group, reading, self._loop, self._say)
            self._say("started", job_id, group.pid)
        finally:
            if output is not None:
                os.close(output)

    def _on_end(self, job_id: str, grace: float) -> None:
        kept = self._jobs.get(job_id)
        if kept is not None:
            kept.end(grace)

    def _on_recorded(self, heard: dict[str, tuple[int, int]], ended: list[str]) -> None:
        for job_id, (count, reports) in heard.items():
            if job_id in self._jobs:
                self._jobs[job_id].forget(count, reports)
        for job_id in ended:
            self._jobs.pop(job_id, None)

    def _on_close(self) -> NoReturn:
        for kept in self._jobs.values():
            kept.discard()
        sys.exit()

    # -- words to it ----------------------------------------------------------------------------

    def _say(self, *message: Any) -> None:
        if self._line is not None:
            self._unsent += json.dumps(message).encode() + b"\n"
            self._loop.emit(None)
            return
        assert self._journal is not None
        self._journal.add(list(message))
        self._hear_jobs(self._journal.size < _UNREAD)
        self._leave_if_done()

    def _send(self) -> None:
        if self._line is None:
            return
        try:
            while self._unsent:
                del self._unsent[: self._line.send(self._unsent)]
        except BlockingIOError:
            self._loop.watch_room(self._line, self._send)
        except OSError:
            self._unsent.clear()  # it is dead, which is about to be heard
        else:
            self._loop.watch_room(self._line, None)
        self._hear_jobs(len(self._unsent) < _UNSENT)

    def _hear_jobs(self, hears: bool) -> None:
        for kept in self._jobs.values():
            kept.listen(hears)

    # -- without it -----------------------------------------------------------------------------

    def _go_on_alone(self) -> None:
        assert self._line is not None
        if self._journal is None:
            self._on_close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (1, 2):  # who reads what its controller prints is not to wait for it
            os.dup2(nothing, number)
        os.close(nothing)
        self._loop.unwatch(self._line)
        self._line.close()
        self._line = None
        self._journal.begin(*(message for kept in self._jobs.values() for message in kept.told()))
        self._hear_jobs(True)
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        if all(kept.has_ended for kept in self._jobs.values()):
            sys.exit()


def _said(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def main(
    descriptor: int, journal: int | None, folder: str, directory: str, added: dict[str, str]
) -> NoReturn:
    """Keep commands.

    Args:
        descriptor: Of the socket to the controller.
        journal: Of the journal's file; None for none.
        folder: The folder of journals.
        directory: Where commands run.
        added: Variables of theirs.
    """
    line = socket.socket(fileno=_moved(descriptor))
    book = None if journal is None else Journal(_moved(journal), folder)
    Keeper(line, book, directory, added).run()


def _moved(descriptor: int) -> int:
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    os.close(descriptor)
    return high
