"""Export studies to other programs."""

from __future__ import annotations

from itertools import starmap

from hpo_core import registry
from hpo_core.config import from_json
from hpo_core.contracts.exchange import ExchangedStudy, ExchangedTrial
from hpo_core.controller.results.trial_result import trial_result
from hpo_core.store.records import JobRecord, StudyRecord, TrialRecord
from hpo_core.store.store import Store


def export_study(store: Store, name: str, to: str, place: str) -> ExchangedStudy:
    """Export a study to another program; see `Study.export`."""
    exchange = registry.exchange(to)
    exchanged = read_exchanged(store, store.study(name))
    exchange.spec.write(exchanged, place)
    return exchanged


def read_exchanged(store: Store, study: StudyRecord) -> ExchangedStudy:
    """Read a study from its store for export."""
    config = from_json(study.config)
    curves = store.curves(study.id, config.objectives[0].metric)

    def exchanged(trial: TrialRecord, ran: list[JobRecord]) -> ExchangedTrial:
        found = trial_result(config, trial, ran)
        return ExchangedTrial(
            number=trial.id,
            configuration=trial.configuration,
            state=trial.state,
            values=tuple(found.values.values()) or None,
            intermediate=curves.get(trial.id, {}),
            metrics=found.metrics,
            began=min((job.started for job in ran if job.started is not None), default=None),
            ended=max((job.ended for job in ran if job.ended is not None), default=None),
            name=found.name,
            reason=found.reason,
        )

    return ExchangedStudy(
        name=study.name,
        directions=tuple(objective.direction for objective in config.objectives),
        metrics=tuple(objective.metric for objective in config.objectives),
        trials=tuple(starmap(exchanged, store.trials_with_jobs(study.id))),
        space=config.space,
        constraints=config.constraints,
    )
