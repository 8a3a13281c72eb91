"""What was asked and told, read from the store a piece at a time: memory stays as it is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from heapq import merge
from typing import Any, TypeAlias, overload

import msgspec

from hpo_core.contracts.strategy import Asked, Resume, Start, Told
from hpo_core.model.job import job_id
from hpo_core.model.report import Decision, Report, Status
from hpo_core.store.records import (
    configuration_from_json,
    decode,
    encode,
    losses_from_json,
    metrics_from_json,
)

Query: TypeAlias = Callable[..., list[Any]]
"""Runs an SQL query with its values, and returns the rows."""

Sound: TypeAlias = Callable[[], AbstractContextManager[None]]

_PIECE = 1_000  # events that are in memory at once


class StoredHistory(Sequence[Asked | Told]):
    """A study's history: event n has the number n, from 0 on.

    What is stored of an event never changes, so it does not matter when it is read. A slice is a
    history too.

    Args:
        query: Reads the store.
        sound: Is held while rows are read back: makes one error of what comes of damaged ones.
        study: The study's row.
        places: Which events.
    """

    def __init__(self, query: Query, sound: Sound, study: int, places: range) -> None:
        self._query = query
        self._sound = sound
        self._study = study
        self._places = places
        self._piece: list[Asked | Told] = []  # the events around the one that was read last
        self._piece_begins = 0

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Asked | Told: ...
    @overload
    def __getitem__(self, index: slice) -> StoredHistory: ...
    def __getitem__(self, index: int | slice) -> Asked | Told | StoredHistory:
        if isinstance(index, slice):
            return StoredHistory(self._query, self._sound, self._study, self._places[index])
        place = self._places[index]
        if not 0 <= place - self._piece_begins < len(self._piece):
            self._piece_begins = place - place % _PIECE
            with self._sound():
                self._piece = self._read(self._piece_begins, self._piece_begins + _PIECE)
                if place - self._piece_begins >= len(self._piece):
                    raise LookupError(f"event {place} is missing")
        return self._piece[place - self._piece_begins]

    def __iter__(self) -> Iterator[Asked | Told]:
        return map(self.__getitem__, range(len(self)))

    def _read(self, begin: int, end: int) -> list[Asked | Told]:
        trials = self._query(
            "SELECT seq, id, adopted, iterations, notes, "
            "coalesce(first_configuration, configuration) FROM trial "
            "WHERE study = ? AND id >= ? AND id < ? ORDER BY id",
            self._study,
            self._first_trial(begin),
            self._first_trial(end),
        )
        log = self._query(
            # The strategy heard of each job up to its target.
            "SELECT seq, kind, trial, attempt, min(log.iteration, coalesce(target, log.iteration)),"
            " log.metrics, losses, decision, suggestion "
            "FROM log LEFT JOIN job USING (study, trial, attempt) "
            "WHERE study = ? AND seq >= ? AND seq < ? ORDER BY seq",
            self._study,
            begin,
            end,
        )
        asked = ((int(seq), _asked(row)) for seq, *row in trials)
        logged = ((int(seq), _logged(row)) for seq, *row in log)
        return [event for _, event in merge(asked, logged, key=lambda pair: pair[0])]

    def _first_trial(self, seq: int) -> int:
        """Return the first trial that was asked for at an event or later; ids grow as seq does."""
        last = self._query("SELECT max(id) FROM trial WHERE study = ?", self._study)[0][0] or 0
        ids = range(1, last + 1)
        return 1 + bisect_left(ids, seq, key=self._seq)

    def _seq(self, trial_id: int) -> int:
        query = "SELECT seq FROM trial WHERE study = ? AND id = ?"
        seq: int = self._query(query, self._study, trial_id)[0][0]
        return seq


_AskedRow: TypeAlias = tuple[int, int, int | None, str | None, str]
_LoggedRow: TypeAlias = tuple[
    str, int, int | None, int | None, str | None, str | None,
    Decision | None, str | None,
]  # fmt: skip


class _Resume(msgspec.Struct):
    """A stored resumption."""

    asked: int
    trial_id: int
    iterations: int | None = None
    configuration: dict[str, Any] | None = None
    checkpoint_from: int | None = None
    notes: Any = None


_decode_resume = msgspec.json.Decoder(_Resume).decode


def _asked(row: Any) -> Asked:
    trial, adopted, iterations, notes, configuration = msgspec.convert(row, _AskedRow)
    start = Start(
        configuration_from_json(configuration),
        iterations=iterations,
        notes=None if notes is None else decode(notes),
    )
    return Asked(trial, start, adopted=bool(adopted))


def _logged(row: Any) -> Asked | Told:
    kind, trial, attempt, iteration, metrics, losses, decision, suggestion = msgspec.convert(
        row, _LoggedRow
    )
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
        status=Status(kind),
        metrics=metrics_from_json(metrics),
    )
    return Told(report, Decision.CONTINUE if decision is None else decision)
