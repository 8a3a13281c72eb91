"""Convert rows to reports: which columns are metrics, and which is the iteration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hpo_core.contracts.reader import ReadReport
from hpo_core.model.errors import nearest
from hpo_core.model.text import some
from hpo_core.readers.rows import Row, Rows, numbers


class Columns:
    """Converts rows to reports.

    Args:
        metrics: The column of each metric; if empty, the columns with the names in `needed` and all
            other numeric columns.
        needed: The metrics that the study requires.
        iteration: The column of the iteration, or None.
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
            known: The columns of the file.

        Raises:
            ValueError: If a named column contains a value that is not a number.
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
                except ValueError:  # a column that is not numeric
                    continue
            iteration = self._iteration_of(row)
            if metrics:
                yield ReadReport(iteration, metrics)
            for key in [key for key, column in self._absent.items() if row(column) is not None]:
                del self._absent[key]

    def missing(self, path: str, rows: Rows | None) -> str:
        """Return a message about columns that no row had; ``""`` if all were found."""
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
