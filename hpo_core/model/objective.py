"""Objectives, the losses that strategies see, and the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault

Losses: TypeAlias = tuple[float, ...]
"""One number for each objective; signs are normalised so that lower is better."""


class Objective(Checked, frozen=True):
    """A metric to minimize or maximize.

    Attributes:
        metric: The metric's name, as jobs report it; ``title/series`` is the usual form.
        direction: ``"minimize"`` or ``"maximize"``.
        value: Which of the reported values of a trial counts: the ``"last"`` or the ``"best"``.
    """

    metric: str
    direction: Literal["minimize", "maximize"]
    value: Literal["last", "best"] = "last"

    def loss(self, value: float) -> float:
        """Convert a metric's value to a loss (lower is better). The function is its own inverse."""
        return value if self.direction == "minimize" else -value

    def faults(self) -> list[Fault]:
        return [] if self.metric else [Fault("metric", "name the metric that jobs report")]


def updated(
    objectives: Sequence[Objective],
    losses: Sequence[float | None],
    metrics: Mapping[str, float],
) -> tuple[float | None, ...]:
    """Return a trial's losses after one more report.

    Args:
        objectives: The study's objectives.
        losses: The losses so far, one for each objective: None if nothing was reported, NaN if the
            value that counts was not finite.
        metrics: The metrics of the report; a missing metric changes nothing. A value that is NaN or
            infinite counts as failed: as the last value it replaces the previous one, and it is
            never the best value.
    """
    return tuple(
        [  # a list, since this runs for each report and a generator takes twice as long
            _updated(objective, loss, metrics[objective.metric])
            if objective.metric in metrics
            else loss
            for objective, loss in zip(objectives, losses, strict=True)
        ]
    )


def _updated(objective: Objective, loss: float | None, value: float) -> float:
    if not math.isfinite(value):
        return math.nan if objective.value == "last" or loss is None else loss
    now = objective.loss(value)
    if objective.value == "last" or loss is None or math.isnan(loss):
        return now
    return min(loss, now)


def complete(losses: Sequence[float | None]) -> Losses | None:
    """Return the losses if there is a finite loss for each objective, else None."""
    found = tuple(loss for loss in losses if loss is not None and math.isfinite(loss))
    return found if len(found) == len(losses) else None


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether `one` is nowhere worse than `other` and somewhere better (all minimized)."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def pareto_front(points: Sequence[Sequence[float]]) -> list[int]:
    """Return the indices of the points that no other point dominates, best first loss first.

    Equal points are all kept. O(n log n) for one or two losses, O(n * front) for more.

    Args:
        points: One loss for each objective, all minimized, without NaN.
    """
    order = sorted(range(len(points)), key=lambda index: tuple(points[index]))
    front: list[int] = []
    for index in order:
        # In lexicographic order a later point never dominates an earlier one; with two losses
        # the last of the front has the least second loss so far, so it alone decides.
        rivals = front[-1:] if len(points[index]) <= 2 else front
        if not any(dominates(points[rival], points[index]) for rival in rivals):
            front.append(index)
    return front
