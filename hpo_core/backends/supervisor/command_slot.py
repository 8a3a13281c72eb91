"""A slot for commands: the launcher starts them in turn, each with a pipe for its reports."""

from __future__ import annotations

import os
import signal

from hpo_core.backends import logs
from hpo_core.backends.supervisor.processes import signal_group, signal_process
from hpo_core.backends.supervisor.slot import Slot
from hpo_core.backends.supervisor.supervised_job import SupervisedJob

_READ = 1 << 16
"""Maximum number of bytes to read from a job at once."""

_STARTING = 0.1
"""Seconds without a message after which the job may have stopped its launcher."""


class CommandSlot(Slot):
    """A slot for commands."""

    _pipe: int | None = None
    _is_watched = False

    def start(self, job: SupervisedJob) -> bool:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._take_on(job)
        self._pipe, self._is_watched = reading, False
        told = job.told
        self._log = (told["log"], self.launcher)
        self._loop.later((self, "starts"), _STARTING, self._wake_launcher)
        self._connection.send(
            "spawn",
            told["arguments"],
            told["program"],
            {**told["variables"], "HPO_WORKER": str(self.worker)},
            told["log"],
            told["checkpoints"],
            descriptor=writing,
        )
        return True

    def ask_to_end(self) -> None:
        self._connection.send("hold")
        signal_group(self.leader, signal.SIGTERM)

    def listen(self, listens: bool) -> None:
        if self._pipe is not None and self._is_watched:
            self._loop.pause(self._pipe, not listens)

    def read(self) -> int:
        if self._pipe is None or self.job is None:
            return 0
        try:
            data = os.read(self._pipe, _READ)
        except BlockingIOError:
            return 0
        if data:
            self.job.hear(data)
        else:
            self._close_pipe()
        return len(data)

    def _readable(self) -> None:
        if not self.read() and self._pipe is None:  # no process of the job can report any more
            if self._is_ending:
                self._connection.send("release")
            signal_process(self.launcher, signal.SIGCONT)  # the job may have stopped the launcher

    def _on_started(self, began: float) -> None:
        self._loop.never((self, "starts"))
        if self.job is not None and self._pipe is not None:
            self.job.begin(self.leader, began)

    def _watch(self) -> None:
        if self._pipe is not None:
            self._loop.watch(self._pipe, self._readable)
            self._is_watched = True

    def _wake_launcher(self) -> None:
        """Continue the launcher: the job may have stopped it before it could report."""
        signal_process(self.launcher, signal.SIGCONT)
        self._loop.later((self, "starts"), _STARTING, self._wake_launcher)

    def _on_refused(self, number: int | None, text: str) -> None:
        self._close_pipe()
        job, self.job = self.job, None
        if job is not None:
            self._owner.refused(job, number, text)
        self._owner.idle(self)

    def _on_leaving(self) -> None:
        self._drain()
        if self._pipe is None:
            self._connection.send("release")

    def _on_exited(self, status: int) -> None:
        self._close_pipe()
        job, self.job = self.job, None
        if job is not None:
            self._owner.ended(job, status)
        self._owner.idle(self)

    def _on_launcher_lost(self) -> None:
        self._close_pipe()
        job, self.job = self.job, None
        if job is not None:
            logs.name(*self._log)
        self.close()
        self._owner.gone(self, None)
        if job is not None:
            self._owner.ended(job, None)

    def _close_pipe(self) -> None:
        self._loop.never((self, "starts"))
        if self._pipe is not None:
            if self._is_watched:
                self._loop.unwatch(self._pipe)
            os.close(self._pipe)
            self._pipe = None
