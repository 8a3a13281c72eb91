"""From rows to records: every value is checked, since a file may hold anything.

A row of another type than hpo-core writes (SQLite lets any value stand in any column) raises one of
`DAMAGE`; `Store.sound` makes one error of them.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from hpo_core.client import ENDLESS
from hpo_core.model.job import JobState, StudyState, TrialState
from hpo_core.store.records import (
    JobRecord,
    LoggedReport,
    StudyRecord,
    TrialRecord,
    configuration_from_json,
    decode,
    limits_from_json,
    losses_from_json,
    metrics_from_json,
    plugins_from_json,
)

DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
"""What comes of a row that does not hold what was written there."""

STUDIES = (
    "SELECT study.id, name, uid, config, plugins, created, state, reason, wall_time, files, "
    "first_budget, marks, adopted_events FROM study JOIN progress ON progress.study = study.id"
)
TRIALS = "SELECT id, configuration, state, losses, iterations FROM trial WHERE study = ?"
JOBS = (
    "SELECT trial, attempt, name, state, target, queued, started, ended, iteration, iterations, "
    "metrics, reason, handle FROM job WHERE study = ?"
)
REPORTS = (
    "SELECT trial, attempt, time, iteration, metrics FROM log WHERE study = ? "
    "AND suggestion IS NULL"
)

_Study: TypeAlias = tuple[
    int, str, str, str, str, float, StudyState, str, float, str, str | None, str, int
]
_Trial: TypeAlias = tuple[int, str, TrialState, str | None, int | None]
_Job: TypeAlias = tuple[
    int, int, str, JobState, int | None, float, float | None, float | None, int | None, int,
    str | None, str, str | None,
]  # fmt: skip
_Report: TypeAlias = tuple[int, int, float, int | None, str | None]

_convert = msgspec.convert


def countable(number: int) -> int:
    """Return the next number of something, if there can be as many."""
    if not 0 <= number < ENDLESS:
        raise ValueError(f"{number} is beyond what is counted")
    return number


def name(row: Any) -> str:
    """Return a name, from a row of nothing else."""
    return _convert(row, tuple[str])[0]


def study(row: Any) -> StudyRecord:
    """Return a study, from a row of `STUDIES`."""
    key, name, uid, config, plugins, created, state, reason, wall_time, *new = _convert(row, _Study)
    files, first_budget, marks, adopted_events = new
    return StudyRecord(
        id=key,
        name=name,
        uid=uid,
        config=config,
        plugins=plugins_from_json(plugins),
        created=created,
        state=state,
        reason=reason,
        wall_time=wall_time,
        files=files,
        first_budget=limits_from_json(first_budget),
        marks=marks,
        adopted_events=countable(adopted_events),
    )


def trial(row: Any) -> TrialRecord:
    """Return a trial, from a row of `TRIALS`."""
    key, configuration, state, losses, iterations = _convert(row, _Trial)
    return TrialRecord(
        id=key,
        configuration=configuration_from_json(configuration),
        state=state,
        losses=losses_from_json(losses),
        iterations=iterations,
    )


def report(row: Any) -> LoggedReport:
    """Return a report, from a row of `REPORTS`."""
    trial, attempt, time, iteration, metrics = _convert(row, _Report)
    return LoggedReport(
        trial_id=trial,
        attempt=attempt,
        time=time,
        iteration=iteration,
        metrics=metrics_from_json(metrics),
    )


def job(row: Any) -> JobRecord:
    """Return a job, from a row of `JOBS`."""
    *plain, metrics, reason, handle = _convert(row, _Job)
    of, attempt, name, state, target, queued, started, ended, iteration, iterations = plain
    return JobRecord(
        trial_id=of,
        attempt=attempt,
        name=name,
        state=state,
        target=target,
        queued=queued,
        started=started,
        ended=ended,
        iteration=iteration,
        iterations=iterations,
        metrics=metrics_from_json(metrics),
        reason=reason,
        handle=None if handle is None else decode(handle),
    )
