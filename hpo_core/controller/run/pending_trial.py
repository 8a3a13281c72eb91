"""A trial that waits for its next job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hpo_core.model.values import Configuration

Counting = tuple[float | None, ...]
"""What counts so far for each objective; see `hpo_core.model.objective.updated`."""


class Before(NamedTuple):
    """What a trial counted when it was last asked for, to which a retry goes back."""

    losses: Counting
    iteration: int
    metrics: Mapping[str, float]


class PendingTrial:
    """A trial that waits for a job: new, to be retried, lost, or resumed.

    Attributes:
        id: The trial.
        configuration: Its values.
        attempt: The number of its next job.
        target: How far that job trains.
        is_target_suggested: Whether the strategy said how far, and not the study.
        losses: What counts so far.
        iteration: Up to which iteration its reports were counted.
        failures: How many of its jobs have failed since it was last asked for.
        lost: How many of its jobs the backend has lost in this session, one after the other.
        metrics: The last value of each metric that its earlier jobs reported.
        before: What it counted when it was last asked for.
        is_heard: Whether the strategy has been told a report of it since then.
    """

    __slots__ = (
        "attempt",
        "before",
        "configuration",
        "failures",
        "id",
        "is_heard",
        "is_target_suggested",
        "iteration",
        "losses",
        "lost",
        "metrics",
        "target",
    )

    def __init__(
        self,
        id: int,
        configuration: Configuration,
        *,
        attempt: int,
        target: int | None,
        losses: Counting,
        is_target_suggested: bool = False,
        iteration: int = 0,
        failures: int = 0,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        self.id = id
        self.configuration = configuration
        self.attempt = attempt
        self.target = target
        self.is_target_suggested = is_target_suggested
        self.losses = losses
        self.iteration = iteration
        self.failures = failures
        self.lost = 0
        self.metrics: Mapping[str, float] = dict(metrics or {})
        self.before = Before(losses, iteration, self.metrics)
        self.is_heard = False

    def begin_again(self) -> None:
        """Forget what has been reported since it was last asked for: its job has failed."""
        self.failures += 1
        self.losses, self.iteration, self.metrics = self.before
        self.is_heard = False
