"""The result of one trial, made of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.model.constraint import is_feasible
from hpo_core.model.errors import NoResult
from hpo_core.model.job import JobState, TrialState
from hpo_core.model.objective import Losses
from hpo_core.model.text import first_line
from hpo_core.model.values import Configuration
from hpo_core.store.attempts import counting
from hpo_core.store.records import JobRecord, TrialRecord
from hpo_core.store.soundness import no_job


class TrialResult(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """The result of one trial.

    Attributes:
        trial_id: The trial's number.
        name: The name of its last job.
        configuration: The configuration.
        state: The state.
        values: The values of the objectives' metrics that count (the last or the best); the values
            so far for a running or paused trial; empty before the first one, and for a failed
            trial.
        losses: The same as losses, lower is better; None if `values` is empty.
        metrics: The last reported value of each metric.
        iteration: The last iteration that it reported, or None.
        seconds: Total run time of its jobs so far, in seconds.
        reason: A human-readable reason for its end; empty if it succeeded.
        is_feasible: Whether it satisfies the study's constraints.
    """

    trial_id: int
    name: str
    configuration: Configuration
    state: TrialState
    values: Mapping[str, float]
    losses: Losses | None
    metrics: Mapping[str, float]
    iteration: int | None
    seconds: float
    reason: str
    is_feasible: bool = True

    @property
    def value(self) -> float:
        """The value of the only objective, or of the first of several.

        Raises:
            NoResult: If the trial has no valid value.
        """
        if not self.values:
            raise NoResult(f"trial {self.trial_id} has no value: it is {self.state.value}")
        return next(iter(self.values.values()))

    def __repr__(self) -> str:
        """Return the state, the values and the configuration in one line."""
        values = "".join(f", {name} = {value:.6g}" for name, value in self.values.items())
        return f"<Trial {self.trial_id}: {self.state.value}{values}, {dict(self.configuration)}>"

    def _repr_html_(self) -> str:
        """Return the same for a notebook, with the reason of a failure."""
        from hpo_core.controller.results import html

        reason = [html.text(first_line(self.reason))] if self.reason else []
        return html.block(f"trial {self.trial_id} ({self.name})", html.trials([self]), *reason)


def trial_result(
    config: StudyConfig,
    trial: TrialRecord,
    jobs: Sequence[JobRecord],
    losses: Losses | None = None,
) -> TrialResult:
    """Build the result of a trial from its rows.

    Args:
        config: The study's configuration.
        trial: The trial.
        jobs: Its jobs, in order.
        losses: The losses so far, for a running trial.
    """
    losses = losses or trial.losses
    if not jobs:
        raise no_job(trial.id)
    last, counted = jobs[-1], counting(jobs)
    said = [job.reason for job in counted if job.reason and job.state is not JobState.LOST]
    metrics: dict[str, float] = {}
    for job in counted:
        metrics.update(job.metrics)
    return TrialResult(
        trial_id=trial.id,
        name=last.name,
        configuration=trial.configuration,
        state=trial.state,
        values={
            objective.metric: objective.loss(loss)
            for objective, loss in zip(config.objectives, losses or (), strict=False)
        },
        losses=losses,
        metrics=metrics,
        iteration=max(
            (job.iteration for job in counted if job.iteration is not None), default=None
        ),
        seconds=sum(job.seconds or 0.0 for job in jobs),
        reason=said[-1] if said else "",
        is_feasible=is_feasible(config.constraints, metrics),
    )
