"""What is said of a study when it ends: its counts and its best trials, without all the others."""

from __future__ import annotations

import msgspec

from hpo_core.config import from_json
from hpo_core.engine.result import TrialResult, feasible_trials, read_top
from hpo_core.model.budget import Usage
from hpo_core.model.constraint import Constraint
from hpo_core.model.job import StudyState
from hpo_core.model.objective import pareto_front
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A study at its end, in memory that does not grow with its trials.

    Attributes:
        name: The study's name.
        state: Where it stands.
        reason: Why it ended, for people.
        usage: What it has used.
        trials: How many trials it has.
        paused: How many of them are paused.
        front: With several objectives, how many trials no other dominates; else None.
        constraints: Its constraints.
        top: Its best trials.
    """

    name: str
    state: StudyState
    reason: str
    usage: Usage
    trials: int
    paused: int
    front: int | None
    constraints: tuple[Constraint, ...]
    top: tuple[TrialResult, ...]


def read_summary(store: Store, study: StudyRecord, usage: Usage, k: int) -> Summary:
    """Read a study's summary from its store, with its `k` best trials."""
    config = from_json(study.config)
    totals = store.totals(study.id)
    front = None
    if len(config.objectives) > 1:
        feasible = feasible_trials(store, study, config)
        front = len(pareto_front([trial.losses or () for trial in feasible]))
    return Summary(
        name=study.name,
        state=study.state,
        reason=study.reason,
        usage=usage,
        trials=totals.trials + totals.imported,
        paused=totals.paused,
        front=front,
        constraints=config.constraints,
        top=tuple(read_top(store, study, k)),
    )
