"""`optimize`: a whole study in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from hpo_core.contracts.observer import FinishedJob, Observer
from hpo_core.contracts.strategy import Strategy
from hpo_core.controller.results.result import Result
from hpo_core.model.budget import Budget
from hpo_core.model.constraint import Constraint
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Parameter
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Value
from hpo_core.study.study import Study


def optimize(
    function: Callable[..., Any],
    parameters: Sequence[Parameter] | SearchSpace,
    *,
    objective: str | Objective | Sequence[Objective],
    direction: Literal["minimize", "maximize"] | None = None,
    constraints: Iterable[str | Constraint] = (),
    budget: Budget | Mapping[str, Any] | None = None,
    strategy: str | Strategy = "random",
    options: Mapping[str, Any] | None = None,
    workers: int = 1,
    backend: str = "local",
    seed: int | None = None,
    name: str = "study",
    store: str | os.PathLike[str] | None = None,
    enqueue: Iterable[Mapping[str, Value]] = (),
    time_limit: float | None = None,
    on_time_limit: Literal["complete", "fail"] | None = None,
    max_iterations: int | None = None,
    min_iterations: int = 1,
    retries: int = 0,
    max_failures_at_start: int | None = None,
    on_job_finished: Callable[[FinishedJob], object] | None = None,
    observers: Iterable[Observer] = (),
) -> Result:
    """Optimize the hyperparameters of a function: `Study`, `Study.run` and its result in one call.

    Args:
        function: Called with a configuration (a mapping), and with the job (`JobInfo`) as a
            second argument if it takes one. It returns the objective's value, or a mapping of
            metrics, or nothing if it has reported.
        parameters: The parameters of the search space.
        objective: The metric's name, with `direction`; or an `Objective`, or several of them.
        direction: ``"minimize"`` or ``"maximize"``.
        constraints: Upper bounds on metrics that a trial must satisfy to be one of the best; a name
            without a bound has the bound 0.
        budget: The limits; None to run until the strategy is exhausted.
        strategy: A config string such as ``"optuna:tpe"``, or a strategy instance.
        options: The strategy's options.
        workers: Maximum number of jobs that run at once.
        backend: ``"local"`` runs jobs in worker processes, ``"inline"`` in this process.
        seed: Random seed of the study. If None, a stored study keeps its own, and a new one
            draws one.
        name: The study's name.
        store: The path of the store, so that the study can be resumed; None for an in-memory study.
        enqueue: Configurations to run first.
        time_limit: Maximum run time of a job, in seconds.
        on_time_limit: Whether a job ended by its time limit is ``"complete"`` with the metrics it
            has reported, or fails (``"fail"``). None for the value of the stored study, or
            ``"complete"`` for a new one.
        max_iterations: Maximum number of iterations per job.
        min_iterations: Minimum number of iterations before a job may be stopped.
        retries: Maximum number of times that a failed job is run again.
        max_failures_at_start: The study fails if this many trials fail at the start before any
            succeeds; 0 for no limit. None for the value of the stored study, or 5 for a new one.
        on_job_finished: Called for each job that has ended.
        observers: Observers to notify of study events.

    Raises:
        InvalidInput: With all faults of the arguments.
        PluginError: If the strategy or backend is missing or does not support what is needed.
        StudyFailed: If the study fails: its strategy raised, or its first trials all failed.
        KeyboardInterrupt: After Ctrl-C, when all jobs have ended.
    """
    with Study(
        function=function,
        parameters=parameters,
        objective=objective,
        direction=direction,
        constraints=constraints,
        budget=budget,
        strategy=strategy,
        options=options,
        workers=workers,
        backend=backend,
        seed=seed,
        name=name,
        store=store,
        enqueue=enqueue,
        time_limit=time_limit,
        on_time_limit=on_time_limit,
        max_iterations=max_iterations,
        min_iterations=min_iterations,
        retries=retries,
        max_failures_at_start=max_failures_at_start,
        observers=observers,
    ) as study:
        study.run(progress=False, on_job_finished=on_job_finished)
        return study.result
