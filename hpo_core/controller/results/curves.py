"""The reports of trials, also while they run."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hpo_core.model.errors import UnknownTrial
from hpo_core.model.job import job_id
from hpo_core.store.attempts import replaced
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a trial.

    Attributes:
        trial_id: The trial.
        job: The id of the job that reported.
        iteration: The reported iteration, or None.
        seconds: Run time of the job at the report in seconds, or None if unknown.
        metrics: The reported metrics; values may be NaN or infinite.
    """

    trial_id: int
    job: str
    iteration: int | None
    seconds: float | None
    metrics: Mapping[str, float]


def read_curve(store: Store, study: StudyRecord, trial_id: int) -> list[Point]:
    """Read the reports of one trial, in order.

    Raises:
        UnknownTrial: If there is no such trial.
    """
    if store.trial(study.id, trial_id) is None:
        raise UnknownTrial(
            f"the study {study.name!r} has no trial {trial_id}; see: hpo jobs {study.name}"
        )
    return _read(store, study, trial_id)


def read_curves(store: Store, study: StudyRecord) -> list[Point]:
    """Read the reports of all trials, trial by trial."""
    return _read(store, study, None)


def _read(store: Store, study: StudyRecord, trial_id: int | None) -> list[Point]:
    with store.snapshot():
        reports = store.logged_reports(study.id, trial_id)
        jobs = store.jobs(study.id, trial_id)
    began = {(job.trial_id, job.attempt): job.started for job in jobs}
    gone = replaced((job.trial_id, job.attempt, job.state) for job in jobs)
    return [
        Point(
            trial_id=report.trial_id,
            job=job_id(*key),
            iteration=report.iteration,
            seconds=None if (start := began.get(key)) is None else max(report.time - start, 0.0),
            metrics=report.metrics,
        )
        for report in reports
        if (key := (report.trial_id, report.attempt)) not in gone
    ]
