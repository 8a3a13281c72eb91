"""The stored history of asks and reports, read in pieces with constant memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias, overload

import msgspec

from hpo_core.contracts.strategy import Asked, Resume, Start, Told
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import job_id
from hpo_core.model.report import Decision, Report, Status
from hpo_core.store.collector import resting_collector
from hpo_core.store.records import (
    configuration_from_json,
    decode,
    encode,
    losses_from_json,
    metrics_from_json,
)
from hpo_core.store.retries import RETRY, Retries

Query: TypeAlias = Callable[..., list[Any]]
"""Runs an SQL query with its values, and returns the rows."""

Sound: TypeAlias = Callable[[], AbstractContextManager[None]]

_PIECE = 1_000  # events in memory at a time
_TRIALS = 200  # trials read at a time


class StoredHistory(Sequence[Asked | Told]):
    """A study's history.

    Stored events never change, so the time of reading does not matter. A slice is a history, too.

    Args:
        query: Reads the store.
        sound: A context manager for reading rows that converts the errors of damaged rows to
            `StoreError`.
        study: The study's row.
        retries: Its retries.
        places: The numbers of its events in the log.
        adopted: The number of the event before which all suggestions count as adopted.
    """

    def __init__(
        self,
        query: Query,
        sound: Sound,
        study: int,
        retries: Retries,
        places: Sequence[int],
        adopted: int = 0,
    ) -> None:
        self._query = query
        self._sound = sound
        self._study = study
        self._retries = retries
        self._places = places
        self._adopted = adopted
        self._piece: dict[int, Asked | Told] = {}  # the events around the one that was read last
        self._read_to = self._next_trial = 0  # the end of that piece, and the first trial after it

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Asked | Told: ...
    @overload
    def __getitem__(self, index: slice) -> StoredHistory: ...
    def __getitem__(self, index: int | slice) -> Asked | Told | StoredHistory:
        if isinstance(index, slice):
            return StoredHistory(
                self._query,
                self._sound,
                self._study,
                self._retries,
                self._places[index],
                self._adopted,
            )
        place = self._places[index]
        if place not in self._piece:
            begin = place - place % _PIECE
            with self._sound(), resting_collector():
                self._piece = self._read(begin, begin + _PIECE)
                if place not in self._piece:
                    raise LookupError(f"event {place} is missing")
        return self._piece[place]

    def place(self, index: int) -> int:
        """Return the number of an event in the log."""
        return self._places[index]

    def positions(self, places: Iterable[int]) -> set[int]:
        """Return the positions, in this history, of those rows of the log that belong to it."""
        found = ((self.position(place), place) for place in places)
        return {at for at, place in found if at < len(self) and self._places[at] == place}

    def position(self, place: int) -> int:
        """Return the number of these events before a row of the log."""
        return bisect_left(self._places, place)

    def __iter__(self) -> Iterator[Asked | Told]:
        index = 0
        while index < len(self._places):
            self[index]  # reads the piece that contains it
            piece = self._piece
            while index < len(self._places) and self._places[index] in piece:
                yield piece[self._places[index]]
                index += 1

    def _read(self, begin: int, end: int) -> dict[int, Asked | Told]:
        asked = self._asked_rows(begin, end)
        log = self._query(
            # The strategy was told iterations up to the target of the job.
            "SELECT seq, kind, trial, attempt, min(log.iteration, coalesce(target, log.iteration)),"
            " log.metrics, losses, decision, suggestion, log.cause "
            "FROM log LEFT JOIN job USING (study, trial, attempt) "
            "WHERE study = ? AND seq >= ? AND seq < ? AND kind != ? ORDER BY seq",
            self._study,
            begin,
            end,
            RETRY,
        )
        found: dict[int, Asked | Told] = {row[0]: _asked(*row) for row in asked}
        attempt = self._retries.attempt
        for row in msgspec.convert(log, list[_LoggedRow]):
            found[row[0]] = _logged(attempt(row[0]), *row)
        if begin < self._adopted:
            for seq in [seq for seq in found if seq < self._adopted]:
                found[seq] = as_adopted(found[seq])
        return found

    def _asked_rows(self, begin: int, end: int) -> list[_AskedRow]:
        """Return the rows of the trials that were suggested at these events."""
        first = self._next_trial if begin == self._read_to else self._first_trial(begin)
        found: list[_AskedRow] = []
        while True:
            rows = self._query(
                "SELECT seq, id, adopted, iterations, notes, "
                "coalesce(first_configuration, configuration) FROM trial "
                "WHERE study = ? AND id >= ? ORDER BY id LIMIT ?",
                self._study,
                first + len(found),
                _TRIALS,
            )
            found += [row for row in msgspec.convert(rows, list[_AskedRow]) if row[0] < end]
            if len(rows) < _TRIALS or rows[-1][0] >= end:
                break
        self._read_to, self._next_trial = end, first + len(found)
        return found

    def _first_trial(self, seq: int) -> int:
        """Return the first trial that was suggested at an event or later; ids grow with seq."""
        last = self._query("SELECT max(id) FROM trial WHERE study = ?", self._study)[0][0] or 0
        ids = range(1, last + 1)
        return 1 + bisect_left(ids, seq, key=self._seq)

    def _seq(self, trial_id: int) -> int:
        query = "SELECT seq FROM trial WHERE study = ? AND id = ?"
        seq: int = self._query(query, self._study, trial_id)[0][0]
        return seq


def as_adopted(event: Asked | Told) -> Asked | Told:
    """Return a suggestion without its notes, for adoption by another strategy."""
    if isinstance(event, Told) or event.adopted:
        return event
    bare = msgspec.structs.replace(event.suggestion, notes=None)
    return msgspec.structs.replace(event, suggestion=bare, adopted=True)


_AskedRow: TypeAlias = tuple[int, int, int, int | None, str | None, str]
_LoggedRow: TypeAlias = tuple[
    int,
    str,
    int,
    int | None,
    int | None,
    str | None,
    str | None,
    Decision | None,
    str | None,
    FailureCause | None,
]


class _Resume(msgspec.Struct):
    """A stored resumption."""

    asked: int
    trial_id: int
    iterations: int | None = None
    configuration: dict[str, Any] | None = None
    checkpoint_from: int | None = None
    notes: Any = None


_STATUS = {status.value: status for status in Status}
_decode_resume = msgspec.json.Decoder(_Resume).decode


def _asked(
    seq: int, trial: int, adopted: int, iterations: int | None, notes: str | None, values: str
) -> Asked:
    start = Start(
        configuration_from_json(values),
        iterations=iterations,
        notes=None if notes is None else decode(notes),
    )
    return Asked(trial, start, adopted=bool(adopted))


def _logged(
    attempt_since_asked: int,
    seq: int,
    kind: str,
    trial: int,
    attempt: int | None,
    iteration: int | None,
    metrics: str | None,
    losses: str | None,
    decision: Decision | None,
    suggestion: str | None,
    cause: FailureCause | None,
) -> Asked | Told:
    if suggestion is not None:
        said = _decode_resume(suggestion)
        values = said.configuration
        return Asked(
            said.asked,
            Resume(
                said.trial_id,
                said.iterations,
                None if values is None else configuration_from_json(encode(values)),
                said.checkpoint_from,
                said.notes,
            ),
        )
    report = Report(
        trial_id=trial,
        job_id=job_id(trial, attempt or 0),
        iteration=iteration,
        losses=losses_from_json(losses),
        status=_STATUS[kind],
        metrics=metrics_from_json(metrics),
        attempt=attempt_since_asked if attempt else None,
        cause=cause,
    )
    return Told(report, Decision.CONTINUE if decision is None else decision)
