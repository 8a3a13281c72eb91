"""Check `StrategySpec.jobs_to_complete`: count the jobs until a first trial is completed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import msgspec

from hpo_core.contracts.strategy import Problem, Start, Strategy, StrategySpec
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Float
from hpo_core.model.report import Decision, Report, Status
from hpo_core.model.space import SearchSpace


def jobs_to_complete(
    spec: StrategySpec, options: Mapping[str, Any], max_iterations: int
) -> tuple[int, int]:
    """Return the announced and the simulated number of jobs until a first trial is completed.

    The simulation runs one job at a time, and each trial is better than all before.

    Args:
        spec: The strategy's spec, with a function `jobs_to_complete`.
        options: Options of the strategy.
        max_iterations: Maximum number of iterations of a trial.

    Raises:
        ValueError: If the spec announces no number for these options.
    """
    problem = Problem(
        space=SearchSpace((Float("x", 0.0, 1.0),)),
        objectives=(Objective("loss", "minimize"),),
        seed=1,
        max_iterations=max_iterations,
    )
    given = msgspec.convert(options, spec.options)
    announced = spec.jobs_to_complete and spec.jobs_to_complete(problem, given)
    if announced is None:
        raise ValueError(f"{spec.name} does not announce a number of jobs")
    return announced, _simulated(spec.build(problem, given), max_iterations)


def _simulated(strategy: Strategy, max_iterations: int) -> int:
    trials = 0
    for number in count(1):
        answer = strategy.ask(trials + 1)
        trials += isinstance(answer, Start)
        trial = getattr(answer, "trial_id", trials)
        target = getattr(answer, "iterations", None) or max_iterations
        if target >= max_iterations:
            return number
        report = Report(
            trial_id=trial, job_id=f"{trial}.{number}", iteration=target, losses=(1.0 / trial,)
        )
        is_paused = strategy.tell(report) is Decision.PAUSE
        status = Status.PAUSED if is_paused else Status.COMPLETED
        strategy.tell(msgspec.structs.replace(report, status=status))
    raise AssertionError("count() does not end")
