"""Convert rows to records. Every value is checked, since a file may have any content.

A value of an unexpected type (SQLite accepts any value in any column) raises one of `DAMAGE`, which
`Store.sound` converts to `StoreError`.
"""

from __future__ import annotations

from itertools import starmap
from typing import Any, TypeAlias

import msgspec

from hpo_core.client import ENDLESS
from hpo_core.model.job import StudyState, TrialState
from hpo_core.store import job_table
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
"""The exceptions that a damaged row causes."""

STUDIES = (
    "SELECT study.id, name, uid, config, plugins, created, state, reason, wall_time, files, "
    "first_budget, marks, adopted_events FROM study JOIN progress ON progress.study = study.id"
)
TRIALS = "SELECT id, configuration, state, losses, iterations FROM trial WHERE study = ?"
JOBS = job_table.SELECT
_JOB_KEYS = ("trial_id", *job_table.READ[1:])
REPORTS = (
    "SELECT trial, attempt, time, iteration, metrics FROM log WHERE study = ? "
    "AND suggestion IS NULL"
)

_Study: TypeAlias = tuple[
    int, str, str, str, str, float, StudyState, str, float, str, str | None, str, int
]
_Trial: TypeAlias = tuple[int, str, TrialState, str | None, int | None]
_Report: TypeAlias = tuple[int, int, float, int | None, str | None]

_convert = msgspec.convert  # for many rows at once: it inspects the type only once


def countable(number: int) -> int:
    """Return the next number, if it is within the supported range."""
    if not 0 <= number < ENDLESS:
        raise ValueError(f"{number} is out of range")
    return number


def names(rows: Any) -> list[str]:
    """Return names, from rows with a single column."""
    return [name for (name,) in _convert(rows, list[tuple[str]])]


def studies(rows: Any) -> list[StudyRecord]:
    """Return studies, from rows of `STUDIES`."""
    return list(starmap(_study, _convert(rows, list[_Study])))


def _study(
    key: int,
    name: str,
    uid: str,
    config: str,
    plugins: str,
    created: float,
    state: StudyState,
    reason: str,
    wall_time: float,
    files: str,
    first_budget: str | None,
    marks: str,
    adopted_events: int,
) -> StudyRecord:
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


def trials(rows: Any) -> list[TrialRecord]:
    """Return trials, from rows of `TRIALS`."""
    return [
        TrialRecord(
            id=key,
            configuration=configuration_from_json(configuration),
            state=state,
            losses=losses_from_json(losses),
            iterations=iterations,
        )
        for key, configuration, state, losses, iterations in _convert(rows, list[_Trial])
    ]


def reports(rows: Any) -> list[LoggedReport]:
    """Return reports, from rows of `REPORTS`."""
    return [
        LoggedReport(
            trial_id=trial,
            attempt=attempt,
            time=time,
            iteration=iteration,
            metrics=metrics_from_json(metrics),
        )
        for trial, attempt, time, iteration, metrics in _convert(rows, list[_Report])
    ]


def jobs(rows: Any) -> list[JobRecord]:
    """Return jobs, from rows of `JOBS`: a column for each field of `JobRecord`."""
    plain = [dict(zip(_JOB_KEYS, row, strict=True)) for row in rows]
    for job in plain:
        job["metrics"] = metrics_from_json(job["metrics"])
        handle = job["handle"]
        job["handle"] = None if handle is None else decode(handle)
    return _convert(plain, list[JobRecord])
