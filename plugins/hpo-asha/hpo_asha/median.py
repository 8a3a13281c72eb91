"""The median stopping rule."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right, insort
from typing import ClassVar

from hpo_asha.searcher import Searcher
from hpo_asha.stopping import RunningTrial, StoppingScheduler
from hpo_core.plugin import Capability, Decision, Problem, Report, Start, Status


class Curve(RunningTrial):
    """A trial with its learning curve.

    Attributes:
        losses: The finite losses of the objective, by iteration.
        best: The lowest of them.
        latest: The last iteration with a decision.
    """

    __slots__ = ("best", "latest", "losses")

    def __init__(self, trial_id: int) -> None:
        super().__init__(trial_id)
        self.losses: dict[int, float] = {}
        self.best = math.inf
        self.latest = -1


class Averages:
    """The sorted running averages of all completed trials, at each reported iteration.

    The averages at an iteration are computed from the curves at its first report. From then on they
    are updated, so finding the median is cheap.
    """

    def __init__(self) -> None:
        self._curves: list[tuple[list[int], list[float]]] = []
        self._at: dict[int, array[float]] = {}

    def add(self, losses: dict[int, float]) -> None:
        """Add the curve of a completed trial, unless it has no value."""
        if not losses:
            return
        iterations = sorted(losses)
        curve = iterations, _running_averages([losses[iteration] for iteration in iterations])
        self._curves.append(curve)
        for iteration, averages in self._at.items():
            if (average := _by(curve, iteration)) is not None:
                insort(averages, average)

    def at(self, iteration: int) -> array[float]:
        """Return the averages, up to an iteration, of all trials that have a value by then."""
        if (known := self._at.get(iteration)) is None:
            found = (_by(curve, iteration) for curve in self._curves)
            known = array("d", sorted(average for average in found if average is not None))
            self._at[iteration] = known
        return known


def _running_averages(losses: list[float]) -> list[float]:
    """Return the average of each prefix; the average of equal values is exactly that value."""
    average, averages = 0.0, []
    for count, loss in enumerate(losses, 1):
        average += (loss - average) / count
        averages.append(average)
    return averages


def _by(curve: tuple[list[int], list[float]], iteration: int) -> float | None:
    place = bisect_right(curve[0], iteration)
    return curve[1][place - 1] if place else None


class Median(StoppingScheduler[Curve]):
    """The median stopping rule of Golovin et al., "Google Vizier", KDD 2017, section 3.2.2.

    A job is stopped at iteration ``s`` if the best value of its trial by ``s`` is strictly worse
    than the median of the running averages, over iterations 1 to ``s``, of all trials
    that are completed. The metric itself is averaged, even if the best value of a trial counts. A
    trial that has ended before ``s`` counts with all its values. Averages omit values that are not
    finite; a trial without any finite value is the worst.

    A report that comes after a later one of its trial is registered, but no decision is based on
    it.

    Optuna's MedianPruner compares with the median of the others' values at ``s`` itself; the two
    agree where curves are flat.

    It ignores constraints.

    Args:
        problem: The study.
        searcher: Where configurations come from.
        min_trials: Number of completed trials from which the rule applies.
        grace_period: First iteration at which the rule applies.
    """

    never: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.MULTI_OBJECTIVE, Capability.CONSTRAINTS}
    )

    def __init__(
        self, problem: Problem, searcher: Searcher, min_trials: int, grace_period: int
    ) -> None:
        super().__init__(problem, searcher)
        self._objective = problem.objectives[0]
        self._min_trials = min_trials
        self._grace_period = grace_period
        self._completed = Averages()

    def _begin(self, trial_id: int, start: Start) -> Curve:
        return Curve(trial_id)

    def _is_worse(self, trial: Curve, iteration: int, report: Report) -> bool:
        loss = self._objective.loss(report.metrics[self._metric])
        if math.isfinite(loss):
            trial.losses[iteration] = loss
            trial.best = min(trial.best, loss)
        if iteration <= trial.latest:
            return False
        trial.latest = iteration
        if iteration < self._grace_period or (self._most or math.inf) <= iteration:
            return False
        averages = self._completed.at(iteration)
        return len(averages) >= self._min_trials and trial.best > _median(averages)

    def _end(self, trial: Curve, report: Report) -> Decision:
        if report.status is Status.COMPLETED:
            self._completed.add(trial.losses)
        trial.losses = {}
        return super()._end(trial, report)


def _median(averages: array[float]) -> float:
    """Return the median of sorted numbers."""
    middle, is_odd = divmod(len(averages), 2)
    if is_odd:
        return averages[middle]
    return (averages[middle - 1] + averages[middle]) / 2
