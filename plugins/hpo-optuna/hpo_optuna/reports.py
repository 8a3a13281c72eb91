"""What reports mean to Optuna: the pruner's decisions, constraints, and how trials end."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Mapping

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from hpo_core.plugin import Constraint, Decision, Problem, Report, Status

_log = logging.getLogger("hpo_optuna")


class Reports:
    """Tells an Optuna study what jobs report.

    Args:
        problem: The study.
        study: The study in Optuna, in memory.
        pruner: Its pruner, if it has one.
        sees_best: Whether the pruner sees the best value so far where that counts.
        constraints: The constraints.
    """

    def __init__(
        self,
        problem: Problem,
        study: optuna.Study,
        pruner: BasePruner | None,
        sees_best: bool,
        constraints: tuple[Constraint, ...],
    ) -> None:
        self._objectives = problem.objectives
        self._min_iterations = problem.min_iterations
        self._study = study
        self._storage = study._storage
        self._pruner = pruner
        self._sees_best = sees_best and problem.objectives[0].value == "best"
        self._constraints = constraints
        self._has_gaps = False  # whether a curve has had a value that is not a finite number
        self._stopped: set[int] = set()  # running trials that were answered STOP
        self._measured: dict[int, dict[str, float]] = {}  # the constraints' metrics so far

    def take_in(self, number: int, report: Report) -> Decision:
        """Handle a report of a trial with a number in Optuna."""
        for constraint in self._constraints:
            if constraint.metric in report.metrics:
                measured = self._measured.setdefault(number, {})
                measured[constraint.metric] = report.metrics[constraint.metric]
        if report.status in (Status.RUNNING, Status.PAUSED):
            return self._watch(number, report)
        self._stopped.discard(number)
        self._finish(number, report, self._measured.pop(number, {}))
        return Decision.CONTINUE

    def end(self, number: int, state: TrialState, values: list[float] | None = None) -> None:
        """End a trial in Optuna."""
        try:
            self._study.tell(number, values, state)
        except RuntimeError:  # BruteForceSampler stops the study, which is not running, after it
            if not self._storage.get_trial(number).state.is_finished():
                raise

    def _watch(self, number: int, report: Report) -> Decision:
        """Let the pruner decide on an intermediate report."""
        if number in self._stopped:
            return Decision.STOP
        step, value = report.iteration, self._seen_by_pruner(report)
        if self._pruner is None or step is None or step < 0 or value is None:
            return Decision.CONTINUE
        if step in self._storage.get_trial(number).intermediate_values:
            return Decision.CONTINUE  # told before: Optuna too keeps the first one
        self._storage.set_trial_intermediate_value(number, step, value)
        trial = self._storage.get_trial(number)
        self._has_gaps = self._has_gaps or not math.isfinite(value)
        if step < self._min_iterations or not self._prunes(self._pruner, trial):
            return Decision.CONTINUE
        self._stopped.add(number)
        return Decision.STOP

    def _prunes(self, pruner: BasePruner, trial: FrozenTrial) -> bool:
        """Ask the pruner; numpy warns of values that are not numbers, which jobs' reasons name."""
        if not self._has_gaps:
            return pruner.prune(self._study, trial)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pruner.prune(self._study, trial)

    def _seen_by_pruner(self, report: Report) -> float | None:
        objective = self._objectives[0]
        metric = report.metrics.get(objective.metric)
        if metric is None:
            return None
        if self._sees_best and report.losses is not None:
            return objective.loss(report.losses[0])
        return float(metric)

    def _finish(self, number: int, report: Report, measured: Mapping[str, float]) -> None:
        """Tell Optuna how a trial has ended."""
        values = None if report.losses is None else self._values(report.losses)
        match report.status:
            case Status.COMPLETED if values is not None and self._constrain(
                number, report.trial_id, measured
            ):
                self.end(number, TrialState.COMPLETE, values)
            case Status.STOPPED:
                if values is not None:
                    self._note_last(number, report.iteration, values)
                if len(measured) == len(self._constraints):
                    self._constrain(number, report.trial_id, measured)
                self.end(number, TrialState.PRUNED)
            case _:
                self.end(number, TrialState.FAIL)

    def _values(self, losses: tuple[float, ...]) -> list[float] | None:
        pairs = zip(self._objectives, losses, strict=True)
        values = [objective.loss(loss) for objective, loss in pairs]
        return None if any(map(math.isnan, values)) else values

    def _note_last(self, number: int, iteration: int | None, values: list[float]) -> None:
        """Keep the value of a trial that was stopped where no pruner saw it."""
        if len(values) == 1 and not self._storage.get_trial(number).intermediate_values:
            self._storage.set_trial_intermediate_value(number, max(iteration or 0, 0), values[0])

    def _constrain(self, number: int, trial_id: int, measured: Mapping[str, float]) -> bool:
        """Tell Optuna of the constraints; false, and a warning, if one was not reported."""
        for constraint in self._constraints:
            if math.isnan(measured.get(constraint.metric, math.nan)):
                _log.warning(
                    "trial %d reported no number for %r, which is a constraint: Optuna is told "
                    "that it failed",
                    trial_id,
                    constraint.metric,
                )
                return False
        if self._constraints:
            trial = optuna.Trial(self._study, number)
            for constraint in self._constraints:
                over = measured[constraint.metric] - constraint.bound
                trial.set_constraint(constraint.metric, over)
        return True
