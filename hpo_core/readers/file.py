"""Follow a file with the metrics of a job: one that grows, or is written again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from hpo_core.contracts.reader import ReadReport
from hpo_core.readers.columns import Columns
from hpo_core.readers.rows import Rows, rows_of

_TAIL = 64
"""Number of bytes before the read position that are compared to detect whether a file only grew."""


class FileReader:
    """Reads the reports of one job from a file.

    When the job starts, the file may exist with content of an earlier job, which is ignored.

    Args:
        path: The file.
        columns: The conversion of rows.
        memo: Records the file's state before the job, for a controller that adopts the job.
        recorded: Number of recorded reports of an adopted job; None for a new job.
    """

    def __init__(self, path: str, columns: Columns, memo: str, recorded: int | None) -> None:
        self.watched = (path,)
        self._path = path
        self._columns = columns
        self._memo = memo
        self._recorded = recorded or 0
        self._rows: Rows | None = None
        self._status: list[int] = []
        self._position = 0
        self._tail = b""
        self._seen: list[str] = []  # the first and the last report of the present file
        self._count = 0
        self._is_earlier = False  # whether the file is unchanged since before the job
        if recorded is None:
            self._pass_over_what_is_there()
        else:
            self._remember()

    def read(self) -> Sequence[ReadReport]:
        """Return the reports of new rows."""
        return self._read(is_over=False)

    def finish(self) -> Sequence[ReadReport]:
        """Return the report of a last row without a line end."""
        try:
            return self._read(is_over=True)
        finally:
            if os.path.exists(self._memo):
                os.unlink(self._memo)

    def missing(self) -> str:
        """Return a message about missing columns; ``""`` if none is missing."""
        return self._columns.missing(self._path, None if self._is_earlier else self._rows)

    # -- reading --------------------------------------------------------------------------------

    def _read(self, *, is_over: bool) -> list[ReadReport]:
        with suppress(FileNotFoundError), open(self._path, "rb") as file:
            status = _status(os.fstat(file.fileno()))
            if status == self._status and (self._is_earlier or not is_over):
                return []
            new = self._read_from(file, status, is_over=is_over)
            if new is not None:
                self._status, self._is_earlier = status, False
                return new
        return []

    def _read_from(
        self, file: BinaryIO, status: list[int], *, is_over: bool
    ) -> list[ReadReport] | None:
        if self._may_have_grown(status):
            start = self._position - len(self._tail)
            file.seek(start)
            data = file.read(status[1] - start)
            if data.startswith(self._tail):
                return self._take(data[len(self._tail) :], is_over=is_over)
            file.seek(0)
        return self._read_again(file.read(status[1]), is_over=is_over)

    def _may_have_grown(self, status: list[int]) -> bool:
        """Return whether the file may only have grown, so that reading can continue."""
        if self._rows is None or self._rows.is_whole or status[0] != self._status[0]:
            return False
        is_longer = status[1] > self._position
        return is_longer or (status[1] == self._position and not self._is_earlier)

    def _take(self, data: bytes, *, is_over: bool) -> list[ReadReport]:
        """Return the reports of complete lines after the read position."""
        whole = len(data) if is_over else data.rfind(b"\n") + 1
        self._position += whole
        self._tail = (self._tail + data[:whole])[-_TAIL:]
        reports = self._reports(data[:whole])
        self._count += len(reports)
        if reports:
            self._seen = [(self._seen or [repr(reports[0])])[0], repr(reports[-1])]
        return reports

    def _read_again(self, data: bytes, *, is_over: bool) -> list[ReadReport] | None:
        """Return the new reports of a file that was read from its start; None for an incomplete
        document.

        If the file was only rewritten, earlier reports are at their earlier positions.
        """
        whole = data if is_over else data[: data.rfind(b"\n") + 1]
        self._rows = rows = rows_of(self._path, whole or data)
        if rows.is_whole:
            try:
                reports = self._reports(data)
            except ValueError:
                if is_over:
                    raise
                return None  # it is incomplete
            self._position, self._tail = len(data), b""
        else:
            reports = self._reports(whole)
            self._position, self._tail = len(whole), whole[-_TAIL:]
        known = self._known(reports)
        new = reports[known:]
        self._count = len(reports)
        self._seen = [repr(reports[0]), repr(reports[-1])] if reports else []
        if rows.is_whole and len(reports) == 1 and self._recorded:
            new = reports * (self._recorded + 1)  # the recorded reports are gone from it
        self._recorded = 0
        return new

    def _known(self, reports: list[ReadReport]) -> int:
        """Return how many reports of the file were read before."""
        count = self._count
        if not 0 < count <= len(reports) or (self._is_earlier and count == len(reports)):
            return 0
        return count if [repr(reports[0]), repr(reports[count - 1])] == self._seen else 0

    def _reports(self, data: bytes) -> list[ReadReport]:
        assert self._rows is not None
        rows = self._rows.read(data) if data.strip() else []
        return list(self._columns.reports(rows, self._rows.columns))

    # -- what was there before ------------------------------------------------------------------

    def _pass_over_what_is_there(self) -> None:
        try:
            self._read(is_over=False)
        except ValueError:  # its content belongs to an earlier job
            self._rows, self._count = None, 0
            self._status = _status(os.stat(self._path))
        self._columns.forget()
        if self._status:
            self._is_earlier = True
            noted: list[Any] = [self._status, self._position, self._tail.hex(), self._seen]
            with open(self._memo, "w", encoding="utf-8") as file:
                json.dump([*noted, self._count], file)

    def _remember(self) -> None:
        try:
            with open(self._memo, encoding="utf-8") as file:
                self._status, self._position, tail, self._seen, self._count = json.load(file)
        except FileNotFoundError:
            return
        self._tail = bytes.fromhex(tail)
        self._is_earlier = True


def _status(found: os.stat_result) -> list[int]:
    """Return the identity, size and modification time of a file."""
    return [found.st_ino, found.st_size, found.st_mtime_ns]
