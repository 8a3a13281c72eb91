"""A table with typed columns, as a data frame, CSV, Parquet or rows of plain data."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hpo_core.model.errors import HpoError

if TYPE_CHECKING:
    import pandas


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its name.
        kind: The type of its values: `int`, `float`, `bool`, `str`; `tuple` for several texts each;
            `object` for values of several types.
        values: A value for each row; None for a missing one.
    """

    name: str
    kind: type
    values: Sequence[Any]

    @property
    def has_missing(self) -> bool:
        """Whether a value is missing."""
        return None in self.values


class Table:
    """A table with typed columns.

    Args:
        columns: The columns, all of the same length.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns[0].values) if self.columns else 0

    def rows(self) -> list[dict[str, Any]]:
        """Return each row by the columns' names; missing values are None."""
        names = [column.name for column in self.columns]
        return [
            dict(zip(names, row, strict=True))
            for row in zip(*(column.values for column in self.columns), strict=True)
        ]

    def to_csv(self) -> str:
        """Return the table as CSV with a header. Missing values are empty; booleans are
        ``true`` and ``false``; a list of texts is JSON.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator=os.linesep)
        writer.writerow([column.name for column in self.columns])
        writer.writerows(zip(*map(_cells, self.columns), strict=True))
        return text.getvalue()

    def to_pandas(self) -> pandas.DataFrame:
        """Return the table as a data frame.

        Raises:
            HpoError: If pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise HpoError("tables need pandas: pip install 'hpo-core[pandas]'") from error
        return pandas.DataFrame({column.name: _series(pandas, column) for column in self.columns})

    def to_parquet(self) -> bytes:
        """Return the table as a Parquet file. Values of several types, and integers beyond 64
        bits, are stored as JSON text.

        Raises:
            HpoError: If pyarrow is not installed.
        """
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise HpoError("Parquet needs pyarrow: pip install 'hpo-core[parquet]'") from error
        arrays = {column.name: _arrow(pyarrow, column) for column in self.columns}
        file = io.BytesIO()
        parquet.write_table(pyarrow.table(arrays), file)
        return file.getvalue()


_PANDAS = {int: "int64", float: "float64", bool: "bool", str: "string"}
_PANDAS_WITH_MISSING = {**_PANDAS, int: "Int64", bool: "boolean"}


def _series(pandas: Any, column: Column) -> Any:
    """Return a series of the column's type; a nullable one if values are missing."""
    is_nullable = column.kind is not float and column.has_missing
    types = _PANDAS_WITH_MISSING if is_nullable else _PANDAS
    try:
        return pandas.Series(column.values, dtype=types.get(column.kind, "object"))
    except OverflowError:  # of integers beyond 64 bits
        return pandas.Series(column.values, dtype="object")


def _arrow(pyarrow: Any, column: Column) -> Any:
    """Return an Arrow array of the column's type; null where values are missing."""
    types = {
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
        str: pyarrow.string(),
        tuple: pyarrow.list_(pyarrow.string()),
    }
    try:
        if column.kind in types:
            return pyarrow.array(column.values, types[column.kind])
    except OverflowError:  # as above
        pass
    texts = [None if value is None else json.dumps(value) for value in column.values]
    return pyarrow.array(texts, pyarrow.string())


def _cells(column: Column) -> Sequence[Any]:
    if column.kind in (int, float, str):
        return column.values
    return [_cell(value) for value in column.values]


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool | list | tuple) else value
