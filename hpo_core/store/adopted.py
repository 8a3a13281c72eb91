"""The events that a strategy adopted when it could not be restored.

See `hpo_core.controller.stored.adopt_history`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hpo_core.store.records import encode
from hpo_core.store.rows import countable
from hpo_core.store.studies import Studies


class Adopted(msgspec.Struct, frozen=True):
    """What counts as adopted.

    Attributes:
        events: The number of the event before which all suggestions count as adopted.
        left_out: The earlier events of trials that could not be adopted.
    """

    events: int
    left_out: frozenset[int]

    @classmethod
    def read(cls, query: Callable[..., list[Any]], study: int) -> Adopted:
        """Read it from a store.

        Args:
            query: Runs an SQL query with its values, and returns the rows.
            study: The study's row.
        """
        found = query("SELECT adopted_events, not_adopted FROM progress WHERE study = ?", study)
        events, text = found[0]
        left_out: set[int] = set()
        for trial in msgspec.json.decode(text, type=list[int]):
            for table, column in (("trial", "id"), ("log", "trial")):
                rows = query(
                    f"SELECT seq FROM {table} WHERE study = ? AND {column} = ? AND seq < ?",
                    study,
                    trial,
                    events,
                )
                left_out.update(seq for (seq,) in rows)
        return cls(countable(int(events)), frozenset(left_out))

    def known(self, places: Sequence[int]) -> Sequence[int]:
        """Return the events that the strategy knows."""
        if not self.left_out:
            return places
        return [place for place in places if place not in self.left_out]


def record(
    store: Studies,
    study: int,
    events: int,
    not_adopted: Iterable[int],
    plugins: Mapping[str, object],
) -> None:
    """Mark all events so far as adopted, and delete the strategy's state.

    Args:
        store: The store.
        study: The study's row.
        events: Its number of events.
        not_adopted: The trials that the strategy cannot adopt and is never told about.
        plugins: The plugins that it will use.
    """
    with store.writing() as connection:
        connection.execute(
            "UPDATE progress SET adopted_events = ?, not_adopted = ?, strategy_state = NULL, "
            "strategy_events = NULL WHERE study = ?",
            (events, encode(sorted(not_adopted)).decode(), study),
        )
        connection.execute(
            "UPDATE study SET plugins = ? WHERE id = ?", (encode(plugins).decode(), study)
        )
