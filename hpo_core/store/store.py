"""A store: one file of studies. All reading is here; the writing of a run is in `writer`."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from hpo_core.model.errors import StoreError, UnknownJob, UnknownStudy, listed, nearest
from hpo_core.model.job import TrialState
from hpo_core.model.values import Value
from hpo_core.store import rows as made
from hpo_core.store import schema
from hpo_core.store.folder import ControllerLock, StudyFolder
from hpo_core.store.history import StoredHistory
from hpo_core.store.records import (
    IMPORTED,
    JobRecord,
    StudyRecord,
    Totals,
    TrialRecord,
    decode,
    encode,
    metrics_from_json,
)

T = TypeVar("T")


class Store:
    """A file of studies.

    Its one connection may be used from several threads; `lock` keeps them apart.

    Args:
        path: The file, or ``":memory:"``.
        create: Whether to make the file if it does not exist.

    Raises:
        StoreError: If it can't be opened, see `hpo_core.store.schema.connect`.
    """

    def __init__(self, path: str | os.PathLike[str] = schema.MEMORY, *, create: bool = True):
        self.path = os.fspath(path)
        self.connection = schema.connect(self.path, create=create)
        self.lock = threading.RLock()

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self.connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def writing(self) -> Transaction:
        """Hold the store for one transaction: ``with store.writing() as connection``.

        Raises:
            StoreError: If the file can't be written; nothing of the transaction is kept then.
        """
        return Transaction(self)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read the file as it is at one moment, whatever its controller writes meanwhile."""
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
            try:
                return self.connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                why = schema.explained(error)
                raise StoreError(f"cannot read the store {self.path}: {why}") from error
            except OverflowError as error:  # of a number that came from there
                raise StoreError(f"the store {self.path} is damaged: {error}") from error

    def _read(self, make: Callable[[Any], T], query: str, *values: object) -> list[T]:
        """Return what is made of each row.

        Raises:
            StoreError: If one holds what hpo-core has not written.
        """
        with self.sound():
            return [make(row) for row in self._rows(query, *values)]

    @contextmanager
    def sound(self) -> Iterator[None]:
        """Say of what can't be read back that the store is damaged.

        Raises:
            StoreError: In place of the errors that come of it.
        """
        try:
            yield
        except made.DAMAGE as error:
            raise StoreError(
                f"the store {self.path} is damaged: a row does not hold what was written there "
                f"({error}); take it from a backup"
            ) from error

    # -- studies ----------------------------------------------------------------------------

    def studies(self) -> list[StudyRecord]:
        """Return every study, oldest first."""
        return self._read(made.study, f"{made.STUDIES} ORDER BY study.id")

    def find(self, name: str) -> StudyRecord | None:
        """Return the study of that name, or None."""
        found = self._read(made.study, f"{made.STUDIES} WHERE study.name = ?", name)
        return found[0] if found else None

    def study(self, name: str) -> StudyRecord:
        """Return the study of that name.

        Raises:
            UnknownStudy: If there is none; with the nearest name.
        """
        record = self.find(name)
        if record is None:
            names = self._read(made.name, "SELECT name FROM study ORDER BY id")
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
        """Replace a study's configuration; to be called by the controller that runs it."""
        with self.writing() as connection:
            connection.execute("UPDATE study SET config = ? WHERE id = ?", (config, study))

    def replace(
        self,
        record: StudyRecord,
        config: str,
        plugins: Mapping[str, object],
        enqueued: Iterable[Mapping[str, Value]],
        expected: int,
    ) -> bool:
        """Replace the configuration of a study that was never begun, and what it runs first.

        Args:
            record: The study.
            config: Its new configuration.
            plugins: The plugins that this uses.
            enqueued: The configurations that are to run first.
            expected: How many of its old configuration's own were to; if there are others
                besides, nothing is replaced.

        Returns:
            Whether it was replaced.

        Raises:
            StudyRunning: If a controller is about to run it.
        """
        lock = ControllerLock(self.folder(record))
        try:
            with self.writing() as connection:
                count = "SELECT count(*) FROM enqueued WHERE study = ?"
                state = "SELECT state FROM study WHERE id = ?"
                if (
                    connection.execute(state, (record.id,)).fetchone()[0] != "created"
                    or connection.execute(count, (record.id,)).fetchone()[0] != expected
                    or self.log_length(record.id)
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

    def extend(self, record: StudyRecord, config: str) -> None:
        """Replace a study's configuration by one with a larger budget, and open it again.

        Raises:
            StudyRunning: If a controller runs it.
        """
        lock = ControllerLock(self.folder(record))
        try:
            with self.writing() as connection:
                connection.execute(
                    "UPDATE study SET config = ?, state = 'interrupted', reason = 'extended' "
                    "WHERE id = ?",
                    (config, record.id),
                )
        finally:
            lock.release()

    def enqueue(self, study: int, configuration: Mapping[str, Value]) -> None:
        """Add a configuration that is run before the strategy is asked again."""
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

    def folder(self, record: StudyRecord) -> StudyFolder:
        """Return where a study's files are."""
        return StudyFolder(self.path, record.name)

    # -- trials and jobs --------------------------------------------------------------------

    def totals(self, study: int) -> Totals:
        """Count what a study has used. Lost jobs count for their compute time alone."""
        trials = self._rows(
            "SELECT total(own), total(own AND state = 'completed'), "
            "total(own AND state = 'failed'), total(own AND state = 'stopped'), "
            "total(own AND state = 'paused'), total(NOT own) "
            "FROM (SELECT state, adopted != ? AS own FROM trial WHERE study = ?)",
            IMPORTED,
            study,
        )[0]
        jobs, iterations, compute_time = self._rows(
            "SELECT total(state != 'lost'), total(iterations), total(ended - started) "
            "FROM job WHERE study = ? AND attempt > 0",
            study,
        )[0]
        with self.sound():
            own, completed, failed, stopped, paused, imported = map(int, trials)
            return Totals(
                trials=own,
                completed=completed,
                failed=failed,
                stopped=stopped,
                paused=paused,
                jobs=int(jobs),
                iterations=int(iterations),
                compute_time=compute_time,
                imported=imported,
            )

    def next_trial(self, study: int) -> int:
        """Return the id of the study's next trial."""
        last = self._rows("SELECT max(id) FROM trial WHERE study = ?", study)[0][0]
        with self.sound():
            return int(last or 0) + 1

    def trial(self, study: int, trial_id: int) -> TrialRecord | None:
        """Return one trial, or None."""
        found = self._read(made.trial, f"{made.TRIALS} AND id = ?", study, trial_id)
        return found[0] if found else None

    def trial_states(self, study: int) -> dict[int, TrialState]:
        """Return where each trial stands."""
        rows = self._rows("SELECT id, state FROM trial WHERE study = ?", study)
        with self.sound():
            return {int(trial): TrialState(state) for trial, state in rows}

    def trials(self, study: int) -> list[TrialRecord]:
        """Return all trials in their order."""
        return self._read(made.trial, f"{made.TRIALS} ORDER BY id", study)

    def trials_with_jobs(self, study: int) -> list[tuple[TrialRecord, list[JobRecord]]]:
        """Return all trials in their order, each with its jobs, as they are at one moment."""
        with self.snapshot():
            trials, jobs = self.trials(study), self.jobs(study)
        of: dict[int, list[JobRecord]] = {trial.id: [] for trial in trials}
        with self.sound():
            for job in jobs:
                of[job.trial_id].append(job)
        return [(trial, of[trial.id]) for trial in trials]

    def best_trials(self, study: int, limit: int) -> list[TrialRecord]:
        """Return the completed trials of the least first loss, best first.

        Losses are ``[0.5,1.0]``, of which a number is read up to its end. This takes 0.15 s for a
        million trials (json_extract: 0.34 s); an index would cost each job 20 microseconds more.
        """
        query = (
            f"{made.TRIALS} AND state = 'completed' "
            "ORDER BY CAST(substr(losses, 2) AS REAL), id LIMIT ?"
        )
        return self._read(made.trial, query, study, limit)

    def completed_trials(self, study: int) -> list[TrialRecord]:
        """Return all completed trials, in their order."""
        query = f"{made.TRIALS} AND state = 'completed' ORDER BY id"
        return self._read(made.trial, query, study)

    def unfinished_trials(self, study: int) -> list[TrialRecord]:
        """Return the trials that are running, or were when their controller died."""
        query = f"{made.TRIALS} AND state = 'running' ORDER BY id"
        return self._read(made.trial, query, study)

    def jobs(self, study: int, trial_id: int | None = None) -> list[JobRecord]:
        """Return all jobs, or those of one trial, in their order."""
        query = made.JOBS
        if trial_id is not None:
            return self._read(made.job, f"{query} AND trial = ?", study, trial_id)
        return self._read(made.job, query, study)

    def unfinished_jobs(self, study: int) -> list[JobRecord]:
        """Return the jobs that are queued or running, or were when their controller died."""
        query = f"{made.JOBS} AND state IN ('queued', 'running')"
        return self._read(made.job, query, study)

    def job(self, record: StudyRecord, job_id: str) -> JobRecord:
        """Return one job by its id (``"7.2"``), or the last job of a trial (``"7"``).

        Raises:
            UnknownJob: If there is none.
        """
        trial, _, attempt = job_id.partition(".")
        is_number = trial.isdecimal() and len(trial) < 19  # as SQLite can hold it
        jobs = self.jobs(record.id, int(trial)) if is_number else []
        found = [job for job in jobs if not attempt or job.id == job_id]
        if not found:
            raise UnknownJob(
                f"the study {record.name!r} has no job {job_id!r}; see: hpo jobs {record.name}"
            )
        return found[-1]

    def last_metrics(self, study: int) -> dict[int, dict[str, float]]:
        """Return for each trial the last value of each metric that its jobs reported."""
        query = "SELECT trial, metrics FROM job WHERE study = ? AND metrics IS NOT NULL"
        found: dict[int, dict[str, float]] = {}
        with self.sound():
            for trial, text in self._rows(query, study):
                found.setdefault(int(trial), {}).update(metrics_from_json(text))
        return found

    # -- the log ----------------------------------------------------------------------------

    def history(self, study: int) -> StoredHistory:
        """Return everything that was asked and told, in order; it is read as it is used."""
        return StoredHistory(self._rows, self.sound, study, range(self.log_length(study)))

    def undecided(self, study: int) -> set[int]:
        """Return the numbers of the reports on which a strategy that had raised did not decide."""
        query = "SELECT seq FROM log WHERE study = ? AND decision IS NULL AND suggestion IS NULL"
        return {seq for (seq,) in self._rows(query, study)}

    def reports(self, study: int, trial_id: int) -> list[tuple[int, int | None, dict[str, float]]]:
        """Return each report of a trial, in order: the job's attempt, the iteration, metrics."""
        rows = self._rows(
            "SELECT attempt, iteration, metrics FROM log "
            "WHERE study = ? AND trial = ? AND suggestion IS NULL "
            "AND seq > (SELECT seq FROM trial WHERE study = ? AND id = ?) ORDER BY seq",
            study,
            trial_id,
            study,
            trial_id,
        )
        with self.sound():
            return [
                (int(attempt), None if at is None else int(at), metrics_from_json(text))
                for attempt, at, text in rows
            ]

    def curves(self, study: int, metric: str) -> dict[int, dict[int, float]]:
        """Return for each trial what it reported of a metric, by iteration."""
        rows = self._rows(
            "SELECT trial, iteration, metrics FROM log WHERE study = ? AND kind = 'running' "
            "AND iteration IS NOT NULL AND metrics IS NOT NULL ORDER BY seq",
            study,
        )
        curves: dict[int, dict[int, float]] = {}
        with self.sound():
            for trial, iteration, text in rows:
                metrics = metrics_from_json(text)
                if metric in metrics:
                    curves.setdefault(int(trial), {})[int(iteration)] = metrics[metric]
        return curves

    def last_sign_of_life(self, study: int) -> float:
        """Return when the study's log was last written to, in seconds since the epoch."""
        rows = self._rows("SELECT time FROM log WHERE study = ? ORDER BY seq DESC LIMIT 1", study)
        with self.sound():
            return float(rows[0][0]) if rows else 0.0

    def log_length(self, study: int) -> int:
        """Return how many events the study has; the next one's number."""
        query = "SELECT seq FROM {} WHERE study = ? ORDER BY {} DESC LIMIT 1"
        last = [
            *self._rows(query.format("trial", "id"), study),
            *self._rows(query.format("log", "seq"), study),
        ]
        with self.sound():
            return len(range(max((int(seq) + 1 for (seq,) in last), default=0)))

    def saved_state(self, study: int) -> tuple[Any, int] | None:
        """Return the strategy's last saved state and the events that it had seen, if any."""
        query = "SELECT strategy_state, strategy_events FROM progress WHERE study = ?"
        with self.sound():
            state, events = self._rows(query, study)[0]
            return None if state is None else (decode(state), int(events))


class Transaction:
    """Holds a store, and keeps all that is written meanwhile, or nothing if that fails.

    A class and not a generator, since the controller opens one a turn.
    """

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> sqlite3.Connection:
        store = self._store
        store.lock.acquire()
        try:
            store.connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            store.lock.release()
            raise self._named(error) from error
        return store.connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        connection = self._store.connection
        try:
            if error is None:
                connection.execute("COMMIT")
        except sqlite3.Error as failed:
            error = failed
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._store.lock.release()
        if error is not None:
            named = self._named(error)
            if named is not error:
                raise named from error

    def _named(self, error: BaseException) -> BaseException:
        """Return SQLite's error as one that says which store it is about; others as they are."""
        if isinstance(error, sqlite3.Error):
            why = schema.explained(error)
            return StoreError(f"cannot write to the store {self._store.path}: {why}")
        if isinstance(error, OverflowError):
            return StoreError(f"cannot write to the store {self._store.path}: {error}")
        return error
