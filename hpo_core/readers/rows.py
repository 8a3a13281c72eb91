"""The rows of a CSV file, of JSON lines, and of a JSON document: values by column."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias

Row: TypeAlias = Callable[[str], Any]
"""Returns the value of a column, or None."""


class Rows(Protocol):
    """Reads the rows of a file.

    Attributes:
        is_whole: Whether the file is a single document, which is read completely each time.
        columns: The columns found so far.
    """

    is_whole: bool
    columns: dict[str, None]

    def read(self, data: bytes) -> list[Row]:
        """Return the rows of complete lines, or of a complete document.

        Raises:
            ValueError: If they cannot be parsed.
        """
        ...


def rows_of(path: str, start: bytes) -> Rows:
    """Return the rows of a file.

    Args:
        path: Its path; the suffix selects the format: CSV, except for ``.json`` and similar.
        start: Its first complete lines: files of JSON lines are often named ``.json`` or ``.txt``.
    """
    end = os.path.splitext(path)[1].lower()
    if end in (".csv", ".tsv"):
        return _Csv()
    first, _, others = start.partition(b"\n")
    if end in (".jsonl", ".ndjson") or (others.strip() and _is_object(first)):
        return _JsonLines()
    return _Json() if end == ".json" or start.lstrip()[:1] in (b"{", b"[") else _Csv()


class _Csv:
    """A header, then a row on each line. The separator is the most frequent one in the header."""

    is_whole = False

    def __init__(self) -> None:
        self.columns: dict[str, None] = {}
        self._names: list[str] = []
        self._separator = ","

    def read(self, data: bytes) -> list[Row]:
        lines = data.decode("utf-8-sig", errors="replace").splitlines()
        lines = [line for line in lines if line.strip()]
        if not self._names and lines:
            header = lines.pop(0).lstrip("# ")
            self._separator = max(",;\t", key=header.count)
            (names,) = csv.reader([header], delimiter=self._separator)
            self._names = [name.strip() for name in names]
            self.columns = dict.fromkeys(self._names)
        found = csv.reader(lines, delimiter=self._separator)
        return [dict(zip(self._names, row, strict=False)).get for row in found]


class _JsonLines:
    """An object on each line."""

    is_whole = False

    def __init__(self) -> None:
        self.columns: dict[str, None] = {}

    def read(self, data: bytes) -> list[Row]:
        rows: list[Row] = []
        for line in data.splitlines():
            if not line.strip():
                continue
            row = _loaded(line)
            if not isinstance(row, dict):
                raise ValueError(f"the line {_shown(line)} is no JSON object")
            self.columns.update(dict.fromkeys(row))
            rows.append(partial(_at, row))
        return rows


class _Json:
    """A document: a list with an object for each row, a list for each column, or a single row."""

    is_whole = True

    def __init__(self) -> None:
        self.columns: dict[str, None] = {}

    def read(self, data: bytes) -> list[Row]:
        document = _loaded(data)
        for one in document if isinstance(document, list) else [document]:
            self.columns.update(dict.fromkeys(one if isinstance(one, dict) else ()))
        length = _length(document)
        return [partial(_nth, document, length, place) for place in range(length)]


def _at(tree: Any, path: str) -> Any:
    """Return the value at a path: names separated by dots; for a list, a list of values."""
    if isinstance(tree, list):
        return [_at(each, path) for each in tree]
    if not isinstance(tree, dict):
        return None
    if path in tree:
        return tree[path]
    for name, below in tree.items():
        if path.startswith(f"{name}.") and (found := _at(below, path[len(name) + 1 :])) is not None:
            return found
    return None


def _length(tree: Any) -> int:
    """Return the number of rows of a document: the length of its longest list."""
    if isinstance(tree, list):
        return len(tree)
    below: Iterable[Any] = tree.values() if isinstance(tree, dict) else ()
    return max((_length(each) for each in below if isinstance(each, list | dict)), default=1)


def _nth(document: Any, length: int, place: int, column: str) -> Any:
    """Return the value of a column in a row; a single value belongs to the last row."""
    found = _at(document, column)
    if isinstance(found, list):
        return found[place] if place < len(found) else None
    return found if place == length - 1 else None


def _is_object(line: bytes) -> bool:
    try:
        return line.lstrip()[:1] == b"{" and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _loaded(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{_shown(data)} is no JSON ({error})") from None


def _shown(data: bytes) -> str:
    text = data.decode(errors="replace").strip()
    return repr(text if len(text) <= 120 else f"{text[:120]}…")


def numbers(row: Row, columns: Sequence[str]) -> dict[str, float]:
    """Return the numbers of a row in some columns, without empty cells.

    Raises:
        ValueError: If a cell contains another value.
    """
    found = {}
    for column in columns:
        value = row(column)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            if isinstance(value, bool | list | dict):
                raise ValueError
            found[column] = float(value)
        except (ValueError, OverflowError):
            raise ValueError(
                f"the column {column!r} holds {value!r:.120}, which is not a number"
            ) from None
    return found
