"""The writes of a study's controller: a statement for each change, a transaction for each turn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from sqlite3 import Connection
from typing import Any

import msgspec

from hpo_core.contracts.strategy import Resume, Start
from hpo_core.model.errors import StrategyError
from hpo_core.model.failure import FailureCause
from hpo_core.model.job import JobState, StudyState, TrialState
from hpo_core.model.objective import Losses
from hpo_core.model.report import Decision, Report
from hpo_core.model.values import JSON, Configuration
from hpo_core.store import job_table, wal
from hpo_core.store.records import IMPORTED, configuration_from_json, encode, metrics_to_json
from hpo_core.store.required_file import RequiredFile
from hpo_core.store.retries import KEPT, RETRY
from hpo_core.store.store import Store


class StudyWriter:
    """Writes one study. All methods except `turn` are called within a turn.

    Args:
        store: The store; it is locked for each turn.
        study: The study's row.
        durable: Whether each turn waits for the disk.
        required: Files that must be in place at each turn.
    """

    def __init__(
        self, store: Store, study: int, *, durable: bool, required: Sequence[RequiredFile] = ()
    ) -> None:
        self._store = store
        self._study = study
        self._required = required
        self._execute = store.connection.execute
        self.seq = store.log_length(study)
        self._execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._version = -1  # SQLite increments it when other connections write to the file
        self._turns = 0

    def turn(self) -> AbstractContextManager[Connection]:
        """A context manager for the transaction of a turn.

        Raises:
            StoreError: If a required file was removed.
        """
        for file in self._required:
            file.check()
        if self._turns % wal.CHECKPOINT_EVERY == 0:
            with self._store.lock:
                wal.checkpoint(self._store.connection, self._store.path)
        self._turns += 1
        return self._store.writing()

    # -- the study --------------------------------------------------------------------------

    def study(self, state: StudyState, reason: str = "") -> None:
        """Record the state of the study."""
        self._execute(
            "UPDATE study SET state = ?, reason = ? WHERE id = ?",
            (state.value, reason, self._study),
        )

    def wall_time(self, seconds: float) -> None:
        """Record the run time of the study, over all its sessions."""
        self._execute("UPDATE progress SET wall_time = ? WHERE study = ?", (seconds, self._study))

    def strategy_state(self, state: JSON) -> None:
        """Record the strategy's state after all events so far."""
        self._execute(
            "UPDATE progress SET strategy_state = ?, strategy_events = ? WHERE study = ?",
            (_json(state, "the strategy's state is"), self.seq, self._study),
        )

    def is_changed_elsewhere(self) -> bool:
        """Return whether another process has written to the file since this was last called."""
        version: int = self._execute("PRAGMA data_version").fetchone()[0]
        changed, self._version = version != self._version, version
        return changed

    def next_enqueued(self) -> tuple[int, Configuration] | None:
        """Return the oldest enqueued configuration with its row, if there is one."""
        rows = self._execute(
            "SELECT id, configuration FROM enqueued WHERE study = ? ORDER BY id LIMIT 1",
            (self._study,),
        ).fetchall()
        with self._store.sound():
            return (rows[0][0], configuration_from_json(rows[0][1])) if rows else None

    def dequeue(self, row: int) -> None:
        """Remove an enqueued configuration that is being run."""
        self._execute("DELETE FROM enqueued WHERE id = ?", (row,))

    # -- trials and the log -----------------------------------------------------------------

    def start(self, trial_id: int, start: Start, *, adopted: bool, imported: bool = False) -> None:
        """Record a suggestion as a new trial."""
        notes = (
            None
            if start.notes is None
            else _json(start.notes, f"the notes of trial {trial_id} are")
        )
        self._execute(
            "INSERT INTO trial (study, id, seq, adopted, iterations, notes, configuration, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'running')",
            (
                self._study,
                trial_id,
                self.seq,
                IMPORTED if imported else int(adopted),
                start.iterations,
                notes,
                encode(start.configuration).decode(),
            ),
        )
        self.seq += 1

    def resume(self, asked: int, resume: Resume, time: float) -> None:
        """Record a suggestion to resume a trial, the answer to `ask(asked)`."""
        trial = (self._study, resume.trial_id)
        if resume.configuration is None:
            self._execute("UPDATE trial SET state = 'running' WHERE study = ? AND id = ?", trial)
        else:
            self._execute(
                "UPDATE trial SET state = 'running', configuration = ?, "
                "first_configuration = coalesce(first_configuration, configuration) "
                "WHERE study = ? AND id = ?",
                (encode(resume.configuration).decode(), *trial),
            )
        suggestion = _json(
            {"asked": asked, **msgspec.structs.asdict(resume)},
            f"the notes on resuming trial {resume.trial_id} are",
        )
        self._execute(
            "INSERT INTO log (study, seq, kind, trial, time, suggestion) "
            "VALUES (?, ?, 'resume', ?, ?, ?)",
            (self._study, self.seq, resume.trial_id, time, suggestion),
        )
        self.seq += 1

    def told(
        self,
        report: Report,
        attempt: int,
        iteration: int | None,
        time: float,
        decision: Decision | None,
    ) -> None:
        """Record a report with the strategy's decision.

        Args:
            report: The report as told to the strategy.
            attempt: The number of the job.
            iteration: The iteration as reported by the job, possibly beyond its target.
            time: The time of the report.
            decision: The decision; None if the strategy has raised, now or earlier.
        """
        self._execute(
            "INSERT INTO log (study, seq, kind, trial, attempt, time, iteration, metrics, losses, "
            "decision, cause) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._study,
                self.seq,
                report.status._value_,
                report.trial_id,
                attempt,
                time,
                iteration,
                _text(metrics_to_json(report.metrics)),
                _losses(report.losses),
                None if decision is None else decision._value_,
                None if report.cause is None else report.cause._value_,
            ),
        )
        self.seq += 1

    def retry(self, trial_id: int, attempt: int, time: float) -> None:
        """Record that a trial's job has failed and is run again, so its reports are replaced."""
        self._execute(
            "INSERT INTO log (study, seq, kind, trial, attempt, time) VALUES (?, ?, ?, ?, ?, ?)",
            (self._study, self.seq, RETRY, trial_id, attempt, time),
        )
        self.seq += 1

    def strategy_keeps(self) -> None:
        """Record that the strategy could not discard the reports that the last retry has
        replaced.
        """
        self._execute(
            "UPDATE log SET decision = ? WHERE study = ? AND seq = ? AND kind = ?",
            (KEPT, self._study, self.seq - 1, RETRY),
        )

    def trial(self, trial_id: int, state: TrialState, losses: Losses | None) -> None:
        """Record the state of a trial, with its losses."""
        self._execute(
            "UPDATE trial SET state = ?, losses = ? WHERE study = ? AND id = ?",
            (state._value_, _losses(losses), self._study, trial_id),
        )

    # -- jobs -------------------------------------------------------------------------------

    def queue_job(
        self, trial_id: int, attempt: int, name: str, target: int | None, time: float
    ) -> None:
        """Record a job to be submitted."""
        self._execute(_QUEUED, (self._study, trial_id, attempt, name, "queued", target, time))

    def withdraw_job(self, trial_id: int, attempt: int, reason: str) -> None:
        """Record that a job was ended before it started. It stays queued."""
        self._execute(_WITHDRAWN, (reason, self._study, trial_id, attempt))

    def requeue_job(self, trial_id: int, attempt: int, time: float) -> None:
        """Record that a withdrawn job is to be submitted."""
        self._execute(_REQUEUED, (time, "", self._study, trial_id, attempt))

    def imported_job(
        self,
        trial_id: int,
        *,
        name: str,
        state: TrialState,
        reason: str,
        began: float | None,
        ended: float | None,
        now: float,
        iteration: int | None,
        metrics: dict[str, float],
    ) -> None:
        """Record the job of an imported trial."""
        self.queue_job(trial_id, 0, name, None, now if began is None else began)
        self.job_ended(
            trial_id,
            0,
            state=JobState(state.value),
            reason=reason,
            started=began,
            ended=now if ended is None else ended,
            iteration=iteration,
            iterations=0,
            metrics=metrics,
        )

    def job_started(self, trial_id: int, attempt: int, time: float, handle: Any) -> None:
        """Record the start of a job."""
        kept = None if handle is None else encode(handle).decode()
        self._execute(_STARTED, ("running", time, kept, self._study, trial_id, attempt))

    def job_ended(
        self,
        trial_id: int,
        attempt: int,
        *,
        state: JobState,
        reason: str,
        started: float | None,
        ended: float,
        iteration: int | None,
        iterations: int,
        metrics: dict[str, float],
        cause: FailureCause | None = None,
    ) -> None:
        """Record the end of a job."""
        self._execute(
            _ENDED,
            (
                state._value_,
                reason,
                started,
                ended,
                iteration,
                iterations,
                _text(metrics_to_json(metrics)),
                None if cause is None else cause._value_,
                self._study,
                trial_id,
                attempt,
            ),
        )


_QUEUED = job_table.insert(*job_table.KEY, "name", "state", "target", "queued")
_WITHDRAWN = job_table.update("reason")
_REQUEUED = job_table.update("queued", "reason")
_STARTED = job_table.update("state", "started", "handle")
_ENDED = job_table.update(
    "state", "reason", "started", "ended", "iteration", "iterations", "metrics", "cause"
)


def _json(value: JSON, what: str) -> str:
    try:
        return encode(value).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise StrategyError(f"{what} not plain JSON: {error}") from error


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


def _losses(losses: Losses | None) -> str | None:
    return None if losses is None else encode(losses).decode()
