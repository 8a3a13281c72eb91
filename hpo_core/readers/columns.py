"""Reports from rows: which columns hold metrics, and which one the iteration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hpo_core.contracts.reader import ReadReport
from hpo_core.model.errors import nearest
from hpo_core.model.text import some
from hpo_core.readers.rows import Row, Rows, numbers


class Columns:
    """Makes reports of rows.

    Args:
        metrics: For each metric its column; empty to take those in `needed` by their names, and
            all other columns of numbers as well.
        needed: The metrics that the study needs.
        iteration: The column of the iteration; None if there is none.
    """

    def __init__(
        self, metrics: Mapping[str, str], needed: Iterable[str], iteration: str | None
    ) -> None:
        self._takes_all = not metrics
        self._metrics = dict(metrics) or {name: name for name in needed}
        self._iteration = iteration
        self._absent: dict[str, str] = {}
        self.forget()

    def forget(self) -> None:
        """Forget which columns were seen."""
        self._absent = {f"job.metrics.{name}": column for name, column in self._metrics.items()}
        if self._iteration is not None:
            self._absent["job.iteration"] = self._iteration

    def reports(self, rows: Iterable[Row], known: Iterable[str]) -> Iterator[ReadReport]:
        """Yield a report for each row that has a metric.

        Args:
            rows: The rows.
            known: The columns that the file has.

        Raises:
            ValueError: If a column that is named holds no number.
        """
        others = self._others(known)
        for row in rows:
            found = numbers(row, list(self._metrics.values()))
            metrics = {
                name: found[column] for name, column in self._metrics.items() if column in found
            }
            for column in others:
                try:
                    metrics |= numbers(row, [column])
                except ValueError:  # a column of something else
                    continue
            iteration = self._iteration_of(row)
            if metrics:
                yield ReadReport(iteration, metrics)
            for key in [key for key, column in self._absent.items() if row(column) is not None]:
                del self._absent[key]

    def missing(self, path: str, rows: Rows | None) -> str:
        """Return which columns no row of a file had; ``""`` if all were there."""
        if not self._absent:
            return ""
        known = [] if rows is None else list(rows.columns)
        if not known:
            return f"job.metrics_file: the file {path} was never written, or has no rows"
        return "; ".join(
            f"{key}: the file {path} has no values in a column {column!r}; it has {some(known)}"
            f"{nearest(column, known)}"
            for key, column in self._absent.items()
        )

    def _others(self, known: Iterable[str]) -> list[str]:
        if not self._takes_all:
            return []
        named = {*self._metrics.values(), self._iteration, "iteration"}
        return [column for column in known if column not in named]

    def _iteration_of(self, row: Row) -> int | None:
        if self._iteration is None:
            return None
        value = numbers(row, [self._iteration]).get(self._iteration)
        if value is None:
            return None
        if not (value.is_integer() and 0 <= value < 1 << 53):
            raise ValueError(
                f"job.iteration: the column {self._iteration!r} holds {value:g}, which is not "
                "an integer, 0 or more"
            )
        return int(value)
