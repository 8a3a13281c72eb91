"""A trial that waits for its next job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hpo_core.model.values import Configuration

Counting = tuple[float | None, ...]
"""The losses so far, one for each objective; see `hpo_core.model.objective.updated`."""


class Before(NamedTuple):
    """The results of a trial when it was last suggested; a retry restarts from them."""

    losses: Counting
    iteration: int
    metrics: Mapping[str, float]


class PendingTrial:
    """A trial that waits for a job: new, to be retried, lost, or resumed.

    Attributes:
        id: The trial's number.
        configuration: The configuration.
        attempt: The number of its next job.
        target: Target iteration of that job; None if unlimited.
        is_target_suggested: Whether the strategy, not the study, set the target.
        losses: The losses so far.
        iteration: The last iteration that was counted.
        failures: Number of failed jobs since the trial was last suggested.
        lost: Number of consecutive jobs that the backend has lost in this session.
        metrics: The last value of each metric that its earlier jobs reported.
        is_queued: Whether that job is recorded: it was withdrawn before it started.
        before: The results when the trial was last suggested.
        is_heard: Whether the strategy has been told a report since then.
    """

    __slots__ = (
        "attempt",
        "before",
        "configuration",
        "failures",
        "id",
        "is_heard",
        "is_queued",
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
        is_queued: bool = False,
        iteration: int = 0,
        failures: int = 0,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        self.id = id
        self.configuration = configuration
        self.attempt = attempt
        self.target = target
        self.is_target_suggested = is_target_suggested
        self.is_queued = is_queued
        self.losses = losses
        self.iteration = iteration
        self.failures = failures
        self.lost = 0
        self.metrics: Mapping[str, float] = dict(metrics or {})
        self.before = Before(losses, iteration, self.metrics)
        self.is_heard = False

    def begin_again(self) -> None:
        """Discard what a failed job has reported since the trial was last suggested."""
        self.failures += 1
        self.losses, self.iteration, self.metrics = self.before
        self.is_heard = False
