"""Jobs that have outlived their controller, taken over from the journals of who keeps them."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hpo_core.backends.journal import BELL
from hpo_core.backends.local import entries
from hpo_core.backends.local.command import GRACE_FOR_FAULTS
from hpo_core.backends.local.hearing import Hearing
from hpo_core.backends.local.leftovers import Sweeper, end_leftovers, find
from hpo_core.backends.local.lines import Lines
from hpo_core.backends.local.loop import Loop
from hpo_core.backends.local.processes import Exit, watch_exit
from hpo_core.backends.logs import remove_if_empty
from hpo_core.contracts.backend import Finished, JobEvent, Outcome, Reported
from hpo_core.model.job import Job

_log = logging.getLogger("hpo_core")

_PATIENCE = 10.0
"""Seconds in which a process whose controller has died writes down what it knows."""


class Adoption:
    """Takes jobs over, and serves them to their ends.

    Args:
        folder: The folder of journals.
        study_uid: The study.
        loop: What waits for them.
        now: The time.
    """

    def __init__(
        self, folder: str, study_uid: str, loop: Loop[JobEvent], now: Callable[[], float]
    ) -> None:
        self._folder = Path(folder)
        self._study_uid = study_uid
        self._loop = loop
        self._now = now
        self._sweeper = Sweeper(study_uid)
        self._books: list[_Book] = []
        self._jobs: dict[str, _Adopted] = {}
        self._bell: int | None = None

    def take_over(self, jobs: Sequence[Job]) -> list[str]:
        """Take over those jobs that are alive, or whose ends are written down; end all else.

        Returns:
            Their ids.
        """
        lines: list[tuple[_Book, list[Any]]] = []
        if jobs and self._folder.is_dir() and self._folder.stat().st_uid == os.getuid():
            self._listen()
            for path in sorted(self._folder.iterdir()):
                if path.name != BELL:
                    lines += self._open(path, {job.id: job for job in jobs})
        taken = list(self._jobs)
        end_leftovers(
            self._study_uid,
            [adopted.mark for adopted in self._jobs.values()],
            [book.process for book in self._books],
        )
        for book, line in sorted(lines, key=lambda pair: pair[1][0]):  # as it has happened
            self._take(book, line)
        return taken

    def cancel(self, job_id: str, grace: float) -> None:
        """End a job by SIGTERM, and by SIGKILL after `grace` seconds."""
        adopted = self._jobs.get(job_id)
        if adopted is not None:
            adopted.hearing.cancelled = not adopted.hearing.fault
            self._terminate(adopted, grace)

    def close(self) -> None:
        """Free everything; what still runs is ended by whoever closes."""
        for book in self._books:
            self._unwatch(book)
        self._books.clear()
        self._jobs.clear()
        if self._bell is not None:
            self._loop.unwatch(self._bell)
            os.close(self._bell)
            self._bell = None
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- journals -------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Hear of new lines, from before the first one is read on."""
        path = self._folder / BELL
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        self._bell = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._loop.watch(self._bell, self._rung)

    def _open(self, path: Path, jobs: dict[str, Job]) -> list[tuple[_Book, list[Any]]]:
        """Take over the jobs of one journal, and return its lines; remove it if it has none."""
        book = _Book(path) if _is_unlocked(path) else None
        lines = [] if book is None else list(book.lines())
        if book is not None:
            self._watch(book)
            lines += book.lines()  # whatever it said before it was found to be gone
        if book is not None and book.is_damaged:
            self._unwatch(book)
            book, lines = None, []
        ended = {said[0] for _, kind, *said in lines if kind in ("finished", "exited")}
        for _, kind, *said in lines:
            if kind == "job" and book is not None:
                job_id, group, told, mark = said
                if job_id in jobs and (book.exit is not None or job_id in ended):
                    adopted = _Adopted(jobs[job_id], group, mark, told)
                    book.jobs[job_id] = self._jobs[job_id] = adopted
        if book is None or not book.jobs:
            path.unlink()
            if book is not None:
                self._unwatch(book)
            return []
        self._books.append(book)
        return [(book, line) for line in lines]

    def _watch(self, book: _Book) -> None:
        """See when the process ends that writes a journal, if it has not yet."""
        if book.process in find(self._study_uid):
            with contextlib.suppress(ProcessLookupError):
                book.exit = watch_exit(book.process)
                self._loop.watch(book.exit, partial(self._gone, book))

    def _rung(self) -> None:
        assert self._bell is not None
        os.read(self._bell, 65536)
        for book in self._books:
            for line in book.lines():
                self._take(book, line)
            if book.is_damaged:
                self._gone(book)

    def _gone(self, book: _Book) -> None:
        """Who kept the jobs is gone; those that have no end by now are lost."""
        self._unwatch(book)
        for line in book.lines():
            self._take(book, line)
        for adopted in list(book.jobs.values()):
            if adopted.job.id in self._jobs:
                self._end(adopted, self._now(), Outcome.LOST, "the process was killed that kept it")

    def _unwatch(self, book: _Book) -> None:
        if book.exit is not None:
            self._loop.unwatch(book.exit)
            book.exit.close()
            book.exit = None

    # -- what they say --------------------------------------------------------------------------

    def _take(self, book: _Book, line: list[Any]) -> None:
        time, kind, job_id, *said = line
        adopted = book.jobs.get(job_id)
        if adopted is not None and job_id in self._jobs:
            self._hear(adopted, min(time, self._now()), kind, said)

    def _hear(self, adopted: _Adopted, time: float, kind: str, said: list[Any]) -> None:
        hearing, job = adopted.hearing, adopted.job
        match kind, said:
            case "report", (iteration, metrics):
                if hearing.counts():
                    self._loop.emit(Reported(job.id, time, iteration, metrics))
            case "data", (text,):
                self._report(adopted, time, hearing.feed(text.encode("latin-1")))
                if hearing.fault:
                    self._terminate(adopted, GRACE_FOR_FAULTS)
            case "finished", (outcome, reason, metrics):
                how = Outcome.CANCELLED if hearing.cancelled else Outcome(outcome)
                self._end(adopted, time, how, reason, metrics)
            case "exited", (status,):
                self._report(adopted, time, hearing.rest())
                self._end(adopted, time, *hearing.verdict(status, job.log))

    def _report(self, adopted: _Adopted, time: float, reports: Iterable[Any]) -> None:
        for iteration, metrics in reports:
            self._loop.emit(Reported(adopted.job.id, time, iteration, metrics))

    # -- their ends -----------------------------------------------------------------------------

    def _terminate(self, adopted: _Adopted, grace: float) -> None:
        if grace > 0:
            _signal(adopted.group, signal.SIGTERM)
            self._loop.later(adopted, grace, lambda: _signal(adopted.group, signal.SIGKILL))
        else:
            _signal(adopted.group, signal.SIGKILL)

    def _end(
        self, adopted: _Adopted, time: float, outcome: Outcome, reason: str, metrics: Any = None
    ) -> None:
        job = adopted.job
        self._loop.never(adopted)
        del self._jobs[job.id]
        self._sweeper.end(adopted.mark)
        if adopted.hearing.cancelled:
            outcome, reason = Outcome.CANCELLED, ""
        if job.log:
            remove_if_empty(job.log)
        self._loop.emit(Finished(job.id, time, outcome, reason, metrics))


class _Adopted:
    """A job that was taken over."""

    def __init__(self, job: Job, group: int, mark: str, told: int) -> None:
        self.job = job
        self.group = group
        self.mark = mark
        self.hearing = Hearing(job.reports - told)


class _Book:
    """A journal, as it is read.

    Attributes:
        process: Who writes it.
        exit: Tells when that ends; None if it has.
        jobs: The jobs that it tells of, by id, as far as they were taken over.
        is_damaged: Whether it holds what is no line of a journal: nothing after it is read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_damaged = False
        self._file = path.open("rb")
        self._lines = Lines()
        self.process = 0
        self.exit: Exit | None = None
        self.jobs: dict[str, _Adopted] = {}

    def lines(self) -> Iterator[list[Any]]:
        """Yield the lines that are new."""
        while (data := self._file.read(1 << 20)) and not self.is_damaged:
            for line in self._lines.feed(data):
                try:
                    message = entries.read(line)
                except ValueError as error:
                    self.is_damaged = True
                    _log.warning(
                        "the journal %s is damaged (%s); the jobs that it tells of are run again",
                        self._path,
                        error,
                    )
                    return
                if message[1] == "process":
                    self.process = message[2]
                else:
                    yield message


def _is_unlocked(path: Path) -> bool:
    """Wait until a journal is begun, or its process is gone; say whether it was."""
    with path.open("rb") as file:
        waiting = threading.Thread(
            target=fcntl.flock, args=(file.fileno(), fcntl.LOCK_SH), daemon=True
        )
        waiting.start()
        waiting.join(_PATIENCE)
        return not waiting.is_alive()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
