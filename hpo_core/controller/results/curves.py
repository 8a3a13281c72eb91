"""What trials have reported, report by report, also while they run."""

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
        iteration: How far it said it was, or None.
        seconds: How long the job had run by then, or None if that is not known.
        metrics: What it reported; values may be NaN or infinite.
    """

    trial_id: int
    job: str
    iteration: int | None
    seconds: float | None
    metrics: Mapping[str, float]


def read_curve(store: Store, study: StudyRecord, trial_id: int) -> list[Point]:
    """Read the reports of one trial, in their order.

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
