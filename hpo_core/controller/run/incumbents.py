"""The best trials so far: the best one or, with several objectives, the Pareto front."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hpo_core.config import StudyConfig
from hpo_core.controller.results.result import best_trials, feasible_trials
from hpo_core.model.objective import Losses, dominates, pareto_front
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


class Incumbent(NamedTuple):
    """One of the best trials.

    Attributes:
        losses: Its losses.
        job: The id of the job that completed it.
    """

    losses: Losses
    job: str


class Incumbents:
    """Keeps the best trials.

    Args:
        earlier: The incumbents of earlier sessions.
    """

    def __init__(self, earlier: Iterable[Incumbent] = ()) -> None:
        self._all = list(earlier)

    @property
    def best(self) -> Losses | None:
        """The losses of the incumbent; of several, those with the smallest first loss."""
        return min((each.losses for each in self._all), default=None)

    @property
    def best_job(self) -> str | None:
        """The id of the job that completed the trial of `best`."""
        best = min(self._all, key=lambda each: each.losses, default=None)
        return None if best is None else best.job

    def add(self, losses: Losses, job: str) -> bool:
        """Add a completed trial, and return whether it is now one of the best.

        A trial equal to the best one is not better: the earlier one remains.
        """
        known = [each.losses for each in self._all]
        if len(losses) == 1 and known:
            if losses >= known[0]:
                return False
        elif any(other == losses or dominates(other, losses) for other in known):
            return False
        self._all = [each for each in self._all if not dominates(losses, each.losses)]
        self._all.append(Incumbent(losses, job))
        return True


def stored_incumbents(store: Store, study: StudyRecord, config: StudyConfig) -> Incumbents:
    """Return the incumbents of all that is stored."""
    if len(config.objectives) == 1:
        trials = best_trials(store, study, config, 1)
    else:
        feasible = [each for each in feasible_trials(store, study, config) if each.losses]
        front = pareto_front([trial.losses or () for trial in feasible])
        trials = [feasible[index] for index in front]
    return Incumbents(
        Incumbent(trial.losses, store.last_job(study.id, trial.id).id)
        for trial in trials
        if trial.losses
    )
