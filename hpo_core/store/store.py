"""The store of studies: all queries. `writer` has the writes of a run."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from hpo_core.model.errors import UnknownJob
from hpo_core.model.job import JobState, TrialState
from hpo_core.model.report import Decision
from hpo_core.model.values import Configuration
from hpo_core.store import job_table, soundness
from hpo_core.store import rows as made
from hpo_core.store.adopted import Adopted
from hpo_core.store.attempts import replaced
from hpo_core.store.history import StoredHistory
from hpo_core.store.records import (
    IMPORTED,
    JobRecord,
    LoggedReport,
    SoFar,
    StudyRecord,
    Totals,
    TrialRecord,
    configuration_from_json,
    decode,
    losses_from_json,
    metrics_from_json,
)
from hpo_core.store.retries import RETRY, Retries
from hpo_core.store.studies import Studies


class Store(Studies):
    """A store, with the queries on trials, jobs and reports; see `Studies` for the arguments."""

    # -- trials and jobs --------------------------------------------------------------------

    def totals(self, study: int) -> Totals:
        """Count the usage of a study.

        Lost jobs count only in the compute time, and those withdrawn before they started not at
        all.
        """
        trials = self._rows(
            "SELECT total(own), total(own AND state = 'completed'), "
            "total(own AND state = 'failed'), total(own AND state = 'stopped'), "
            "total(own AND state = 'paused'), total(NOT own), total(own AND state = 'running') "
            "FROM (SELECT state, adopted != ? AS own FROM trial WHERE study = ?)",
            IMPORTED,
            study,
        )[0]
        jobs, iterations, compute_time = self._rows(
            f"SELECT total(state != 'lost' AND NOT ({job_table.WITHDRAWN})), total(iterations), "
            "total(ended - started) FROM job WHERE study = ? AND attempt > 0",
            study,
        )[0]
        with self.sound():
            own, completed, failed, stopped, paused, imported, running = map(int, trials)
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
                running=running,
            )

    def next_trial(self, study: int) -> int:
        """Return the id of the study's next trial."""
        last = self._rows("SELECT max(id) FROM trial WHERE study = ?", study)[0][0]
        with self.sound():
            return made.countable(int(last or 0) + 1)

    def trial(self, study: int, trial_id: int) -> TrialRecord | None:
        """Return one trial, or None."""
        found = self._read(made.trials, f"{made.TRIALS} AND id = ?", study, trial_id)
        return found[0] if found else None

    def trial_states(self, study: int) -> dict[int, TrialState]:
        """Return the state of each trial."""
        rows = self._rows("SELECT id, state FROM trial WHERE study = ?", study)
        with self.sound():
            return {int(trial): TrialState(state) for trial, state in rows}

    def trials(self, study: int) -> list[TrialRecord]:
        """Return all trials in order."""
        return self._read(made.trials, f"{made.TRIALS} ORDER BY id", study)

    def trials_with_jobs(self, study: int) -> list[tuple[TrialRecord, list[JobRecord]]]:
        """Return a consistent snapshot of all trials in order, each with its jobs."""
        with self.snapshot():  # short, since the write-ahead log grows meanwhile
            trials = self._rows(f"{made.TRIALS} ORDER BY id", study)
            jobs = self._rows(made.JOBS, study)
        with self.sound():
            found = [(trial, list[JobRecord]()) for trial in made.trials(trials)]
            of = {trial.id: its for trial, its in found}
            for job in made.jobs(jobs):
                of[job.trial_id].append(job)
        return found

    def best_trials(self, study: int, limit: int) -> list[TrialRecord]:
        """Return the completed trials with the smallest first loss, best first.

        Losses are stored as ``[0.5,1.0]``; the cast reads the first number. This takes 0.15 s for a
        million trials (json_extract: 0.34 s); an index would add 20 microseconds to each job.
        """
        query = (
            f"{made.TRIALS} AND state = 'completed' "
            "ORDER BY CAST(substr(losses, 2) AS REAL), id LIMIT ?"
        )
        return self._read(made.trials, query, study, limit)

    def completed_trials(self, study: int) -> list[TrialRecord]:
        """Return all completed trials in order."""
        query = f"{made.TRIALS} AND state = 'completed' ORDER BY id"
        return self._read(made.trials, query, study)

    def unfinished_trials(self, study: int) -> list[TrialRecord]:
        """Return the trials that are running, or were when their controller died."""
        query = f"{made.TRIALS} AND state = 'running' ORDER BY id"
        return self._read(made.trials, query, study)

    def paused_trials(self, study: int, limit: int | None = None) -> list[TrialRecord]:
        """Return the paused trials: all, or those with the smallest first loss, best first."""
        query = f"{made.TRIALS} AND state = 'paused'"
        if limit is None:
            return self._read(made.trials, f"{query} ORDER BY id", study)
        query += " AND losses IS NOT NULL ORDER BY CAST(substr(losses, 2) AS REAL), id LIMIT ?"
        return self._read(made.trials, query, study, limit)

    def jobs(self, study: int, trial_id: int | None = None) -> list[JobRecord]:
        """Return all jobs, or those of one trial, in order."""
        query = made.JOBS
        if trial_id is not None:
            return self._read(made.jobs, f"{query} AND trial = ?", study, trial_id)
        return self._read(made.jobs, query, study)

    def last_job(self, study: int, trial_id: int) -> JobRecord:
        """Return the last job of a trial.

        Raises:
            StoreError: If it has none, so that the store is damaged.
        """
        jobs = self.jobs(study, trial_id)
        if not jobs:
            raise soundness.no_job(trial_id)
        return jobs[-1]

    def unfinished_jobs(self, study: int) -> list[JobRecord]:
        """Return the jobs that are queued or running, or were when their controller died."""
        query = f"{made.JOBS} AND state IN ('queued', 'running')"
        return self._read(made.jobs, query, study)

    def first_failure(self, study: int, since: float = 0.0) -> JobRecord | None:
        """Return the job of the first failure of a trial since a time, or None."""
        query = (
            f"{made.JOBS} AND state IN ('failed', 'timed_out') AND ended >= ? AND EXISTS (SELECT 1 "
            "FROM trial WHERE trial.study = job.study AND id = job.trial AND trial.state = 'failed'"
            ") ORDER BY ended, trial, attempt LIMIT 1"
        )
        found = self._read(made.jobs, query, study, since)
        return found[0] if found else None

    def job(self, record: StudyRecord, job_id: str) -> JobRecord:
        """Return one job by its id (``"7.2"``), or the last job of a trial (``"7"``).

        Raises:
            UnknownJob: If there is none.
        """
        trial, _, attempt = job_id.partition(".")
        is_number = trial.isdecimal() and len(trial) < 19  # within SQLite's integers
        jobs = self.jobs(record.id, int(trial)) if is_number else []
        found = [job for job in jobs if not attempt or job.id == job_id]
        if not found:
            raise UnknownJob(
                f"the study {record.name!r} has no job {job_id!r}; see: hpo jobs {record.name}"
            )
        return found[-1]

    def last_metrics(self, study: int) -> dict[int, dict[str, float]]:
        """Return the last reported value of each metric, for each trial."""
        query = "SELECT trial, attempt, metrics FROM job WHERE study = ? AND metrics IS NOT NULL"
        gone = self._replaced(study)
        found: dict[int, dict[str, float]] = {}
        with self.sound():
            for trial, attempt, text in self._rows(query, study):
                if (trial, attempt) not in gone:
                    found.setdefault(int(trial), {}).update(metrics_from_json(text))
        return found

    def _replaced(self, study: int) -> set[tuple[int, int]]:
        """Return the jobs that a retry has replaced, as pairs of trial and attempt."""
        rows = self._rows(
            "SELECT trial, attempt, state FROM job WHERE study = ? AND trial IN "
            "(SELECT trial FROM job WHERE study = ? AND state = 'failed') ORDER BY trial, attempt",
            study,
            study,
        )
        with self.sound():
            return replaced((trial, attempt, JobState(state)) for trial, attempt, state in rows)

    def move_folder(self, record: StudyRecord) -> None:
        """Rename the folder of a study of schema 1 to its uid.

        The caller must hold the study's lock, and no job of it may be alive.
        """
        if record.files:
            with self.writing() as connection:
                self.folder(record).move()
                connection.execute("UPDATE study SET files = '' WHERE id = ?", (record.id,))

    # -- the log ----------------------------------------------------------------------------

    def history(
        self,
        study: int,
        *,
        end: int | None = None,
        with_replaced: bool = False,
        all_adopted: bool = False,
    ) -> StoredHistory:
        """Return the history of all asks and reports in order, which is read lazily.

        Args:
            study: The study's row.
            end: The number of the log row before which it ends; None for all.
            with_replaced: Whether to include the reports that a retry has replaced.
            all_adopted: Whether to mark all suggestions as adopted, including those that could not
                be adopted earlier.
        """
        retries = self.retries(study)
        length = self.log_length(study) if end is None else end
        places = retries.events(length, with_replaced=with_replaced)
        with self.sound():
            adopted = (
                Adopted(length, frozenset()) if all_adopted else Adopted.read(self._rows, study)
            )
        return StoredHistory(
            self._rows, self.sound, study, retries, adopted.known(places), adopted.events
        )

    def retries(self, study: int) -> Retries:
        """Return the retries in the study's log."""
        rows = self._rows(
            "SELECT seq, kind, trial, decision FROM log WHERE study = ? AND trial IN "
            "(SELECT trial FROM log WHERE study = ? AND kind = ?) ORDER BY seq",
            study,
            study,
            RETRY,
        )
        return Retries(rows)

    def undecided(self, study: int) -> set[int]:
        """Return the numbers of the reports without a decision because the strategy had raised."""
        query = (
            "SELECT seq FROM log WHERE study = ? AND decision IS NULL AND suggestion IS NULL "
            "AND kind != ?"
        )
        return {seq for (seq,) in self._rows(query, study, RETRY)}

    def reports(
        self, study: int, trial_id: int
    ) -> list[tuple[int, int | None, dict[str, float], Decision]]:
        """Return the reports of a trial in order: attempt, iteration, metrics, decision."""
        rows = self._rows(
            "SELECT attempt, iteration, metrics, decision FROM log "
            "WHERE study = ? AND trial = ? AND suggestion IS NULL AND kind != ? "
            "AND seq > (SELECT seq FROM trial WHERE study = ? AND id = ?) ORDER BY seq",
            study,
            trial_id,
            RETRY,
            study,
            trial_id,
        )
        with self.sound():
            return [
                (
                    int(attempt),
                    None if at is None else int(at),
                    metrics_from_json(text),
                    Decision(decision or "continue"),
                )
                for attempt, at, text, decision in rows
            ]

    def so_far(self, study: int) -> dict[tuple[int, int], SoFar]:
        """Return the reports so far of each job that has not ended, by trial and attempt.

        The row of a job is filled in only when it ends.
        """
        rows = self._rows(
            "SELECT log.trial, log.attempt, log.iteration, log.metrics, log.losses FROM log "
            "JOIN job ON job.study = log.study AND job.trial = log.trial "
            "AND job.attempt = log.attempt "
            "WHERE log.study = ? AND job.state IN ('queued', 'running') ORDER BY log.seq",
            study,
        )
        found: dict[tuple[int, int], SoFar] = {}
        with self.sound():
            for trial, attempt, iteration, metrics, losses in rows:
                job = found.setdefault((int(trial), int(attempt)), SoFar())
                job.iteration = job.iteration if iteration is None else int(iteration)
                job.metrics = {**job.metrics, **metrics_from_json(metrics)}
                job.losses = losses_from_json(losses) or job.losses
        return found

    def logged_reports(self, study: int, trial_id: int | None = None) -> list[LoggedReport]:
        """Return the reports of one trial or of all, ordered by trial and time."""
        one = "" if trial_id is None else "AND trial = ? "
        query = f"{made.REPORTS} AND metrics IS NOT NULL {one}ORDER BY trial, seq"
        return self._read(made.reports, query, study, *(() if trial_id is None else (trial_id,)))

    def given_configurations(self, study: int) -> dict[int, list[tuple[float, Configuration]]]:
        """Return the configurations that each trial has had, with their start times.

        Includes only trials whose configuration a strategy has changed (`Resume`).
        """
        first = self._rows(
            "SELECT id, 0.0, first_configuration FROM trial "
            "WHERE study = ? AND first_configuration IS NOT NULL",
            study,
        )
        later = self._rows(
            "SELECT trial, time, json_extract(suggestion, '$.configuration') FROM log "
            "WHERE study = ? AND kind = 'resume' "
            "AND json_extract(suggestion, '$.configuration') IS NOT NULL ORDER BY seq",
            study,
        )
        given: dict[int, list[tuple[float, Configuration]]] = {}
        with self.sound():
            for trial, time, text in [*first, *later]:
                given.setdefault(int(trial), []).append((time, configuration_from_json(text)))
        return given

    def curves(self, study: int, metric: str) -> dict[int, dict[int, float]]:
        """Return the reported values of a metric by iteration, for each trial."""
        rows = self._rows(
            "SELECT trial, attempt, iteration, metrics FROM log WHERE study = ? "
            "AND kind = 'running' AND iteration IS NOT NULL AND metrics IS NOT NULL ORDER BY seq",
            study,
        )
        gone = self._replaced(study)
        curves: dict[int, dict[int, float]] = {}
        with self.sound():
            for trial, attempt, iteration, text in rows:
                metrics = metrics_from_json(text)
                if metric in metrics and (trial, attempt) not in gone:
                    curves.setdefault(int(trial), {})[int(iteration)] = metrics[metric]
        return curves

    def last_sign_of_life(self, study: int) -> float:
        """Return the time of the last row of the study's log, in seconds since the epoch."""
        rows = self._rows("SELECT time FROM log WHERE study = ? ORDER BY seq DESC LIMIT 1", study)
        with self.sound():
            return float(rows[0][0]) if rows else 0.0

    def log_length(self, study: int) -> int:
        """Return the number of events of the study, which is the number of the next one."""
        query = "SELECT seq FROM {} WHERE study = ? ORDER BY {} DESC LIMIT 1"
        last = [
            *self._rows(query.format("trial", "id"), study),
            *self._rows(query.format("log", "seq"), study),
        ]
        with self.sound():
            return made.countable(max((int(seq) + 1 for (seq,) in last), default=0))

    def saved_state(self, study: int) -> tuple[Any, int] | None:
        """Return the strategy's last saved state and its number of events, if any."""
        query = "SELECT strategy_state, strategy_events FROM progress WHERE study = ?"
        with self.sound():
            state, events = self._rows(query, study)[0]
            return None if state is None else (decode(state), int(events))


def opened(
    store: str | os.PathLike[str] | Store, *, create: bool = False
) -> AbstractContextManager[Store]:
    """A context manager that opens a store, unless it is already open.

    Args:
        store: The file, or the store.
        create: Whether to create the file if it does not exist.

    Raises:
        StoreError: If it does not exist or cannot be used.
    """
    return nullcontext(store) if isinstance(store, Store) else Store(store, create=create)
