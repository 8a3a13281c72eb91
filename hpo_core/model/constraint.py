"""Constraints: metrics that a trial has to keep at or below a bound to count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault


class Constraint(Checked, frozen=True):
    """A metric that must not be above a bound.

    The last value that a trial reports counts. A trial that breaks a constraint, or never reports
    its metric, is infeasible: it completes, but is never among the best.

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
    """Say whether metrics keep all constraints; one that is missing or NaN keeps none."""
    return all(
        each.metric in metrics and metrics[each.metric] <= each.bound for each in constraints
    )


def is_broken(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> bool:
    """Say whether metrics break a constraint already, whatever is not reported yet."""
    return any(
        each.metric in metrics and not metrics[each.metric] <= each.bound for each in constraints
    )


def unreported(constraints: Sequence[Constraint], metrics: Mapping[str, float]) -> str:
    """Return a sentence about the constraints' metrics that are missing, or ``""``."""
    missing = [repr(each.metric) for each in constraints if each.metric not in metrics]
    if not missing:
        return ""
    kind = "constraint" if len(missing) == 1 else "constraints"
    return f"infeasible: it never reported the {kind} {', '.join(missing)}"
