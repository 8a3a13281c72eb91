"""The limits of a study, and how much of each is used."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from hpo_core.model.checked import Checked
from hpo_core.model.durations import seconds
from hpo_core.model.errors import Fault


class Budget(Checked, frozen=True, kw_only=True):
    """The limits of a study. None means no limit. The controller enforces each limit exactly.

    Attributes:
        trials: Maximum number of trials to start.
        jobs: Maximum number of jobs to launch. Retries and promotions count; lost jobs do not.
        iterations: Maximum number of iterations over all jobs, as the jobs report them.
        compute_time: Maximum total run time of all jobs, in seconds or as a duration such as
            ``"2h"``.
        wall_time: Maximum time that the study runs, over all its sessions, in seconds or as a
            duration.
        count: What ``jobs`` counts: ``"launched"`` jobs or ``"completed"`` trials.

    Raises:
        InvalidInput: If a limit has the wrong type, or is not finite and above 0.
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
"""The names of a budget's limits, in display order."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a budget is used, in the units of the budget.

    Attributes:
        trials: Trials started.
        jobs: Jobs launched, or trials completed (see `Budget.count`).
        iterations: Iterations reported.
        compute_time: Total run time of all jobs in seconds, running jobs included.
        wall_time: Time that the study has run, in seconds.
    """

    trials: int = 0
    jobs: int = 0
    iterations: int = 0
    compute_time: float = 0.0
    wall_time: float = 0.0


def remaining(budget: Budget, usage: Usage) -> dict[str, float]:
    """Return what remains of each limit that is set, in its unit; never below 0."""
    return {
        name: max(getattr(budget, name) - getattr(usage, name), 0)
        for name in LIMITS
        if getattr(budget, name) is not None
    }
