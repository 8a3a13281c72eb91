"""Constraints: upper bounds on metrics that a feasible trial must satisfy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault


class Constraint(Checked, frozen=True):
    """An upper bound on a metric.

    The last reported value counts. A trial that violates a constraint, or never reports its metric,
    is infeasible: it completes, but is never one of the best trials.

    Attributes:
        metric: The metric's name, as jobs report it.
        bound: The greatest value that is feasible.
    """

    metric: str
    bound: float = 0.0

    def faults(self) -> list[Fault]:
        faults = [] if self.metric else [Fault("metric", "name the metric that jobs report")]
        if self.bound != self.bound:
            faults.append(Fault("bound", "must be a number, got nan"))
        return faults


def is_feasible(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> bool:
    """Return whether metrics satisfy all constraints. A missing metric or NaN satisfies none."""
    return all(
        each.metric in metrics and metrics[each.metric] <= each.bound for each in constraints
    )


def is_broken(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> bool:
    """Return whether a reported metric violates a constraint; missing metrics are ignored."""
    return any(
        each.metric in metrics and not metrics[each.metric] <= each.bound for each in constraints
    )


def unreported(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> str:
    """Return a message that names the missing metrics of constraints, or ``""``."""
    missing = [repr(each.metric) for each in constraints if each.metric not in metrics]
    if not missing:
        return ""
    kind = "constraint" if len(missing) == 1 else "constraints"
    return f"infeasible: it never reported the {kind} {', '.join(missing)}"
