"""The file of a store, and the rows of its studies, created, read and changed outside of a run."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hpo_core.model.errors import StoreError, UnknownStudy, listed, nearest
from hpo_core.model.job import StudyState
from hpo_core.model.values import Value
from hpo_core.store import database as files
from hpo_core.store import rows as made
from hpo_core.store.control import ControllerLock, is_running
from hpo_core.store.explained import explained
from hpo_core.store.folder import StudyFolder
from hpo_core.store.records import StudyRecord, encode
from hpo_core.store.soundness import Limit
from hpo_core.store.transaction import Transaction

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class Studies:
    """A file of studies, with their rows; `Store` adds the queries on trials and jobs.

    Several threads may use the connection; `lock` serializes them.

    Args:
        path: The file, or ``":memory:"``.
        create: Whether to create the file if it does not exist.
        accept_loss: Whether to open it without its write-ahead log, if that is missing.

    Raises:
        StoreError: If it cannot be opened, see `hpo_core.store.database.connect`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = files.MEMORY,
        *,
        create: bool = True,
        accept_loss: bool = False,
    ) -> None:
        self.path = os.fspath(path)
        self.connection = files.connect(self.path, create=create, accept_loss=accept_loss)
        self._limit = Limit(self.connection, self.path)
        self.lock = threading.RLock()
        self._temporary: dict[str, StudyFolder] = {}  # for a store in memory, by the study's uid

    def close(self, *, remove_if_empty: bool = False) -> None:
        """Close the file.

        Args:
            remove_if_empty: Whether to remove a file without studies.
        """
        with self.lock:
            is_left = remove_if_empty and self.path != files.MEMORY and self._is_empty()
            self.connection.close()
            for folder in self._temporary.values():
                folder.remove_temporary()
            if is_left:
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def _is_empty(self) -> bool:
        try:
            return not self.connection.execute("SELECT count(*) FROM study").fetchone()[0]
        except sqlite3.Error:  # closed or damaged
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def writing(self) -> Transaction:
        """Lock the store for one transaction: ``with store.writing() as connection``.

        Raises:
            StoreError: If the file cannot be written. The transaction is then rolled back.
        """
        return Transaction(self.connection, self.lock, self.path)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A context manager for reading a consistent snapshot, whatever is written meanwhile."""
        with self.lock:
            is_outermost = not self.connection.in_transaction
            if is_outermost:
                self._rows("BEGIN")
            try:
                yield
            finally:
                if is_outermost:
                    self._rows("ROLLBACK")

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self.lock:
            self._limit.begin()
            try:
                return self.connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                why = explained(error)
                raise StoreError(f"cannot read the store {self.path}: {why}") from error
            except OverflowError as error:  # from a number in the file
                raise StoreError(f"the store {self.path} is damaged: {error}") from error
            finally:
                self._limit.end()

    def _read(self, make: Callable[[Any], list[T]], query: str, *values: object) -> list[T]:
        """Convert the rows of a query to records.

        Raises:
            StoreError: If a row was not written by hpo-core.
        """
        with self.sound():
            return make(self._rows(query, *values))

    @contextmanager
    def sound(self) -> Iterator[None]:
        """A context manager that converts the errors of damaged rows.

        Raises:
            StoreError: In place of these errors.
        """
        try:
            yield
        except made.DAMAGE as error:
            raise StoreError(
                f"the store {self.path} is damaged: a row has an unexpected value "
                f"({error}); take it from a backup"
            ) from error

    # -- studies ----------------------------------------------------------------------------

    def studies(self) -> list[StudyRecord]:
        """Return every study, oldest first."""
        return self._read(made.studies, f"{made.STUDIES} ORDER BY study.id")

    def find(self, name: str) -> StudyRecord | None:
        """Return the study with a name, or None."""
        found = self._read(made.studies, f"{made.STUDIES} WHERE study.name = ?", name)
        return found[0] if found else None

    def study(self, name: str) -> StudyRecord:
        """Return the study with a name.

        Raises:
            UnknownStudy: If there is none. The message has the nearest name.
        """
        record = self.find(name)
        if record is None:
            names = self._read(made.names, "SELECT name FROM study ORDER BY id")
            raise UnknownStudy(
                f"the store {self.path} has no study {name!r}{nearest(name, names)}; "
                f"its studies: {listed(names)}"
            )
        return record

    def create(
        self,
        name: str,
        config: str,
        plugins: Mapping[str, object],
        created: float,
        enqueued: Iterable[Mapping[str, Value]] = (),
    ) -> StudyRecord:
        """Add a study, with the configurations that are to run first."""
        with self.writing() as connection:
            row = connection.execute(
                "INSERT INTO study (name, uid, config, plugins, created, state) "
                "VALUES (?, ?, ?, ?, ?, 'created')",
                (name, os.urandom(16).hex(), config, encode(plugins).decode(), created),
            )
            study = row.lastrowid
            connection.execute("INSERT INTO progress (study) VALUES (?)", (study,))
            self._enqueue(connection, study, enqueued)
        return self.study(name)

    def reconfigure(self, study: int, config: str) -> None:
        """Replace a study's configuration. To be called by its controller."""
        with self.writing() as connection:
            connection.execute("UPDATE study SET config = ? WHERE id = ?", (config, study))

    def set_marks(self, study: int, marks: str) -> None:
        """Record which users have created or trusted a study."""
        with self.writing() as connection:
            connection.execute("UPDATE study SET marks = ? WHERE id = ?", (marks, study))

    def replace(
        self,
        record: StudyRecord,
        config: str,
        plugins: Mapping[str, object],
        enqueued: Iterable[Mapping[str, Value]],
        expected: int,
    ) -> bool:
        """Replace the configuration and the enqueued configurations of a study that was never
        started.

        Args:
            record: The study.
            config: Its new configuration.
            plugins: The plugins of the new configuration.
            enqueued: The configurations to enqueue.
            expected: The number of configurations that the old configuration had enqueued; if there
                are more, nothing is replaced.

        Returns:
            Whether it was replaced.

        Raises:
            StudyRunning: If a controller is starting it.
        """
        lock = ControllerLock(self.folder(record))
        try:
            with self.writing() as connection:
                count = "SELECT count(*) FROM {} WHERE study = ?"
                state = "SELECT state FROM study WHERE id = ?"
                if (
                    connection.execute(state, (record.id,)).fetchone()[0] != "created"
                    or connection.execute(count.format("enqueued"), (record.id,)).fetchone()[0]
                    != expected
                    or connection.execute(count.format("trial"), (record.id,)).fetchone()[0]
                ):
                    return False
                connection.execute(
                    "UPDATE study SET config = ?, plugins = ? WHERE id = ?",
                    (config, encode(plugins).decode(), record.id),
                )
                connection.execute("DELETE FROM enqueued WHERE study = ?", (record.id,))
                self._enqueue(connection, record.id, enqueued)
            return True
        finally:
            lock.release()

    def extend(
        self, record: StudyRecord, config: str, budget: Mapping[str, float | None] | None = None
    ) -> None:
        """Replace a study's configuration by one with a larger budget, so that it can be resumed.

        Args:
            record: The study.
            config: Its new configuration.
            budget: Its previous limits, to be recorded; None to record nothing.

        Raises:
            StudyRunning: If a controller runs it.
        """
        lock = ControllerLock(self.folder(record))
        try:
            with self.writing() as connection:
                connection.execute(
                    "UPDATE study SET config = ?, state = 'interrupted', reason = 'extended', "
                    "first_budget = coalesce(first_budget, ?) WHERE id = ?",
                    (config, budget and encode(budget).decode(), record.id),
                )
        finally:
            lock.release()

    def enqueue(self, study: int, configuration: Mapping[str, Value]) -> None:
        """Enqueue a configuration to run before the strategy is asked again."""
        with self.writing() as connection:
            self._enqueue(connection, study, [configuration])

    def _enqueue(
        self,
        connection: sqlite3.Connection,
        study: int | None,
        configurations: Iterable[Mapping[str, Value]],
    ) -> None:
        connection.executemany(
            "INSERT INTO enqueued (study, configuration) VALUES (?, ?)",
            [(study, encode(values).decode()) for values in configurations],
        )

    def owner(self) -> int | None:
        """Return the id of the user who owns the file; None for a store in memory."""
        return None if self.path == files.MEMORY else os.stat(self.path).st_uid

    def current_state(self, record: StudyRecord) -> tuple[StudyState, str]:
        """Return the state of a study and the reason; if its controller died, it is interrupted."""
        is_stale = record.state is StudyState.RUNNING and self.path != files.MEMORY
        if is_stale and not is_running(self.folder(record)):
            return StudyState.INTERRUPTED, "its controller died"
        return record.state, record.reason

    def folder(self, record: StudyRecord) -> StudyFolder:
        """Return the folder of a study's files, which is temporary for a store in memory."""
        if self.path != files.MEMORY:
            return StudyFolder(self.path, record.name, record.uid, record.files)
        if record.uid not in self._temporary:
            self._temporary[record.uid] = StudyFolder(self.path, record.name, record.uid)
        return self._temporary[record.uid]
