"""A trial run: one job with default values, without storing anything."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hpo_core.config import StudyConfig
from hpo_core.contracts.observer import FinishedJob
from hpo_core.controller.controller import HyperParameterOptimizer
from hpo_core.controller.signals import interruptible
from hpo_core.controller.strategy.resolve import prepare
from hpo_core.model.budget import Budget
from hpo_core.model.job import JobState
from hpo_core.model.values import Configuration, Value

_log = logging.getLogger("hpo_core")


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one job with default values.

    Attributes:
        configuration: The default values.
        state: How the job ended.
        reason: A human-readable reason.
        seconds: Run time in seconds.
        metrics: The last reported value of each metric.
        iteration: The last reported iteration; None if it counted none.
        objectives: For the metric of each objective, whether it was reported.
        constraints: For the metric of each constraint, likewise.
        output: What the job printed.
    """

    configuration: Configuration
    state: JobState
    reason: str
    seconds: float
    metrics: Mapping[str, float]
    iteration: int | None
    objectives: Mapping[str, bool]
    constraints: Mapping[str, bool]
    output: str

    @property
    def is_good(self) -> bool:
        """Whether the job completed."""
        return self.state is JobState.COMPLETED


def try_once(
    config: StudyConfig,
    function: Callable[..., Any] | None = None,
    values: Mapping[str, Value] | None = None,
) -> DryRun:
    """Run one job with the default value of each parameter.

    Args:
        config: The study.
        function: The function that jobs call, if the study refers to it by name.
        values: Values in place of the defaults of some parameters.

    Raises:
        InvalidInput: If `values` are invalid.
        HpoError: If the job cannot be run.
    """
    first = config.space.defaults(values)
    alone = msgspec.structs.replace(
        config,
        budget=Budget(jobs=1),
        workers=1,
        enqueue=(dict(first),),
        max_failures=None,  # a failed job is a valid result
        max_failures_at_start=0,
        on_failure="continue",
    )
    finished: list[FinishedJob] = []
    output = ""

    def note(job: FinishedJob) -> None:
        nonlocal output
        finished.append(job)
        with contextlib.suppress(FileNotFoundError):  # the job printed nothing
            output = Path(job.job.log).read_text(errors="replace")

    with HyperParameterOptimizer(alone, function=function) as optimizer:
        with interruptible(optimizer):
            result = optimizer.run(note)
        metrics = result.trials[0].metrics
    for remark in prepare(config).budget_remarks():  # the run has checked the options
        _log.warning(remark)
    return DryRun(
        configuration=first,
        state=finished[-1].state,
        reason=finished[-1].reason,
        seconds=finished[-1].seconds,
        metrics=metrics,
        iteration=finished[-1].iteration,
        objectives={
            objective.metric: objective.metric in metrics for objective in config.objectives
        },
        constraints={each.metric: each.metric in metrics for each in config.constraints},
        output=output,
    )
