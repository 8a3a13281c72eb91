"""The best trials so far: the best one or, with several objectives, the Pareto front."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.config import StudyConfig
from hpo_core.controller.results.result import best_trials, feasible_trials
from hpo_core.model.objective import Losses, dominates, pareto_front
from hpo_core.store.records import StudyRecord
from hpo_core.store.store import Store


class Incumbents:
    """Keeps the losses of the best trials.

    Args:
        losses: Losses of the incumbents of earlier sessions.
    """

    def __init__(self, losses: Iterable[Losses] = ()) -> None:
        self._losses = list(losses)

    @property
    def best(self) -> Losses | None:
        """The losses of the incumbent; of several, those with the smallest first loss."""
        return min(self._losses, default=None)

    def add(self, losses: Losses) -> bool:
        """Add the losses of a completed trial, and return whether it is now one of the best.

        A trial equal to the best one is not better: the earlier one remains.
        """
        if len(losses) == 1 and self._losses:
            if losses >= self._losses[0]:
                return False
        elif any(other == losses or dominates(other, losses) for other in self._losses):
            return False
        self._losses = [other for other in self._losses if not dominates(losses, other)]
        self._losses.append(losses)
        return True


def stored_incumbents(store: Store, study: StudyRecord, config: StudyConfig) -> Incumbents:
    """Return the incumbents of all that is stored."""
    if len(config.objectives) == 1:
        trials = best_trials(store, study, config, 1)
        return Incumbents([trial.losses for trial in trials if trial.losses])
    trials = feasible_trials(store, study, config)
    losses = [trial.losses for trial in trials if trial.losses]
    return Incumbents([losses[index] for index in pareto_front(losses)])
