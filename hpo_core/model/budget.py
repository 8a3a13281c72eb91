"""The study's limits, and how much of each is used."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from hpo_core.model.checked import Checked
from hpo_core.model.durations import seconds
from hpo_core.model.errors import Fault


class Budget(Checked, frozen=True, kw_only=True):
    """The limits of a study; None is no limit. The controller keeps each of them exactly.

    Attributes:
        trials: Trials that are started.
        jobs: Jobs that are launched; retries and promotions are jobs too, lost jobs are not.
        iterations: Iterations over all jobs, as they report them.
        compute_time: Seconds of all jobs' run times added up, or a duration such as ``"2h"``.
        wall_time: Seconds in which the study runs, over all its sessions, or a duration.
        count: What ``jobs`` counts: ``"launched"`` jobs, or ``"completed"`` trials alone.

    Raises:
        InvalidInput: For a limit of another type, or one that is not above 0 and finite.
    """

    trials: int | None = None
    jobs: int | None = None
    iterations: int | None = None
    compute_time: float | None = None
    wall_time: float | None = None
    count: Literal["launched", "completed"] = "launched"

    def spelled_out(self, field: str, value: Any) -> Any:
        return seconds(value) if field.endswith("_time") and isinstance(value, str) else value

    def faults(self) -> list[Fault]:
        faults = []
        for name in LIMITS:
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < math.inf:
                faults.append(Fault(name, f"must be above 0 and finite, got {limit}"))
        if self.count == "completed" and self.jobs is None:
            faults.append(Fault("count", "says what jobs counts; give jobs a limit too"))
        return faults


def not_a_budget(value: object) -> str:
    """Return what is wrong with a value that is neither a budget nor a table of limits."""
    if type(value) is int:
        return f"expected a Budget, got {value}; did you mean Budget(jobs={value})?"
    such_as = "Budget(jobs=30) or Budget(wall_time=3600)"
    return f"expected a Budget, such as {such_as}, got {value!r:.60}"


LIMITS = ("trials", "jobs", "iterations", "compute_time", "wall_time")
"""The names of a budget's limits, in the order in which they are shown."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a budget is used, in the budget's own units.

    Attributes:
        trials: Trials started.
        jobs: Jobs launched, or trials completed (see `Budget.count`).
        iterations: Iterations reported.
        compute_time: Seconds that jobs have run, those of running ones included.
        wall_time: Seconds that the study has run.
    """

    trials: int = 0
    jobs: int = 0
    iterations: int = 0
    compute_time: float = 0.0
    wall_time: float = 0.0


def remaining(budget: Budget, usage: Usage) -> dict[str, float]:
    """Return what is left of each limit that the budget has, in its unit; never below 0."""
    return {
        name: max(getattr(budget, name) - getattr(usage, name), 0)
        for name in LIMITS
        if getattr(budget, name) is not None
    }
