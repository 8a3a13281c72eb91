"""Trials that have not ended, with their values so far."""

from __future__ import annotations

from hpo_core.config import from_json
from hpo_core.controller.results.result import ranking
from hpo_core.controller.results.trial_result import TrialResult, trial_result
from hpo_core.controller.results.unfinished import read_reports
from hpo_core.model.constraint import is_broken
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


def read_open(store: Store, study: StudyRecord, paused: int) -> list[TrialResult]:
    """Read all running trials of a study, and the best paused ones.

    A trial that already violates a constraint is left out.

    Args:
        store: The store.
        study: The study.
        paused: Maximum number of paused trials to read, with one objective and no constraints;
            otherwise all are read.
    """
    config = from_json(study.config)
    reports = read_reports(store, study)
    limit = paused if len(config.objectives) == 1 and not config.constraints else None
    found = [
        trial_result(
            config,
            trial,
            reports.filled_in(store.jobs(study.id, trial.id)),
            reports.losses(trial),
        )
        for trial in [*store.unfinished_trials(study.id), *store.paused_trials(study.id, limit)]
    ]
    return [trial for trial in found if not is_broken(config.constraints, trial.metrics)]


def read_unfinished(store: Store, study: StudyRecord, k: int) -> list[TrialResult]:
    """Read the `k` best running and paused trials that have a value, best first."""
    found = [trial for trial in read_open(store, study, k) if trial.losses is not None]
    return [found[index] for index in ranking([trial.losses or () for trial in found], k)]
