"""The result of a study: its trials, the best of them, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from hpo_core.config import StudyConfig, from_json
from hpo_core.controller.results import unfinished
from hpo_core.controller.results.table import Table
from hpo_core.controller.results.tables import trials_table
from hpo_core.controller.results.trial_result import TrialResult, trial_result
from hpo_core.model.budget import Usage
from hpo_core.model.constraint import Constraint, is_feasible
from hpo_core.model.errors import NoResult
from hpo_core.model.job import StudyState, TrialState
from hpo_core.model.objective import Losses, Objective, pareto_front
from hpo_core.model.space import SearchSpace
from hpo_core.model.text import counted
from hpo_core.store.collector import resting_collector
from hpo_core.store.records import StudyRecord, TrialRecord
from hpo_core.store.store import Store

if TYPE_CHECKING:
    import pandas


class Result(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The result of a study.

    Attributes:
        name: The study's name.
        state: Where it stands.
        reason: A human-readable reason for its end.
        objectives: The objectives.
        space: The search space.
        usage: The usage of its budget.
        trials: All trials, in order.
        constraints: The constraints.
    """

    name: str
    state: StudyState
    reason: str
    objectives: tuple[Objective, ...]
    space: SearchSpace
    usage: Usage
    trials: tuple[TrialResult, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def best(self) -> TrialResult:
        """The best completed trial that satisfies the constraints.

        Raises:
            NoResult: If there is none, or if there are several objectives.
        """
        if len(self.objectives) > 1:
            raise NoResult("with several objectives there is no one best trial; see pareto_front")
        top = self.top(1)
        if not top and any(trial.losses and not trial.is_feasible for trial in self.trials):
            raise NoResult(f"no completed trial of {self.name!r} satisfies the constraints")
        if not top:
            raise NoResult(
                f"no trial of {self.name!r} is completed{self._best_so_far()}"
                f"{self._first_failure()}"
            )
        return top[0]

    @cached_property
    def pareto_front(self) -> tuple[TrialResult, ...]:
        """The feasible completed trials that no other trial dominates, sorted by the first
        objective.
        """
        counted = self._counted
        front = pareto_front([losses for _, losses in counted])
        return tuple(counted[index][0] for index in front)

    @cached_property
    def _counted(self) -> list[tuple[TrialResult, Losses]]:
        return [
            (trial, trial.losses)
            for trial in self.trials
            if trial.state is TrialState.COMPLETED
            and trial.losses is not None
            and trial.is_feasible
        ]

    def top(self, k: int = 5) -> list[TrialResult]:
        """Return the `k` best completed trials that satisfy the constraints, best first.

        With several objectives: the Pareto front, then the front of the remaining trials, and so
        on.
        """
        counted = self._counted
        return [counted[index][0] for index in ranking([losses for _, losses in counted], k)]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a table with a row for each trial; docs/python.md lists the columns.

        Raises:
            HpoError: If pandas is not installed.
        """
        return self.table().to_pandas()

    def table(self) -> Table:
        """Return the same table, to be written in other formats."""
        return trials_table(self.trials, self.space, self.objectives, self.constraints)

    def __repr__(self) -> str:
        """Return the state of the study and its best value in one line."""
        return f"<Result of {self.name!r}: {self._in_words()}>"

    def _repr_html_(self) -> str:
        """Return the same for a notebook, with a table of the best trials."""
        from hpo_core.controller.results import html

        return html.block(self.name, html.text(self._in_words()), html.trials(self.top(5)))

    def _in_words(self) -> str:
        words = [self.state.value, counted(len(self.trials), "trial")]
        if len(self.objectives) > 1:
            words.append(f"{len(self.pareto_front)} not dominated")
        elif top := self.top(1):
            words.append(f"best {self.objectives[0].metric} = {top[0].value:.6g}")
        return ", ".join(words)

    def _best_so_far(self) -> str:
        """Return a note on the best running or paused trial, if one has a value."""
        open_states = (TrialState.RUNNING, TrialState.PAUSED)
        found = [(t.losses, t) for t in self.trials if t.losses and t.state in open_states]
        if not found:
            return ""
        _, best = min(found, key=lambda pair: pair[0])
        at = "" if best.iteration is None else f" at iteration {best.iteration}"
        said = f"trial {best.trial_id}, {best.state.value}{at}, with {best.value:.6g}"
        return f"; the best so far is {said}"

    def _first_failure(self) -> str:
        reasons = [trial.reason for trial in self.trials if trial.state is TrialState.FAILED]
        return f"; the first of {len(reasons)} failed: {reasons[0]}" if reasons else ""


def ranking(losses: Sequence[Losses], k: int) -> list[int]:
    """Return the indices of the `k` best losses: by Pareto front, then by the first loss."""
    left = list(range(len(losses)))
    if losses and len(losses[0]) == 1:
        return sorted(left, key=lambda index: losses[index])[:k]
    best: list[int] = []
    while left and len(best) < k:
        front = [left[index] for index in pareto_front([losses[index] for index in left])]
        best += front
        chosen = set(front)
        left = [index for index in left if index not in chosen]
    return best[:k]


# -- reading from a store
# ---------------------------------------------------------------------------


def read_result(store: Store, study: StudyRecord, usage: Usage) -> Result:
    """Read a study's result from its store."""
    config = from_json(study.config)
    state, reason = store.current_state(study)
    reports = unfinished.read_reports(store, study)
    with resting_collector():
        trials = tuple(
            trial_result(config, trial, reports.filled_in(jobs), reports.losses(trial))
            for trial, jobs in store.trials_with_jobs(study.id)
        )
    return Result(
        name=study.name,
        state=state,
        reason=reason,
        objectives=config.objectives,
        space=config.space,
        usage=usage,
        trials=trials,
        constraints=config.constraints,
    )


def read_top(store: Store, study: StudyRecord, k: int) -> list[TrialResult]:
    """Read a study's `k` best completed trials, without reading all the others."""
    config = from_json(study.config)
    trials = best_trials(store, study, config, k)
    return [trial_result(config, trial, store.jobs(study.id, trial.id)) for trial in trials]


def best_trials(store: Store, study: StudyRecord, config: StudyConfig, k: int) -> list[TrialRecord]:
    """Read the rows of a study's `k` best completed trials that satisfy the constraints."""
    if len(config.objectives) == 1 and not config.constraints:
        return store.best_trials(study.id, k)
    trials = feasible_trials(store, study, config)
    return [trials[index] for index in ranking([trial.losses or () for trial in trials], k)]


def feasible_trials(store: Store, study: StudyRecord, config: StudyConfig) -> list[TrialRecord]:
    """Read the rows of a study's completed trials that satisfy the constraints, in order."""
    trials = store.completed_trials(study.id)
    if not config.constraints:
        return trials
    metrics = store.last_metrics(study.id)
    return [trial for trial in trials if is_feasible(config.constraints, metrics.get(trial.id, {}))]
