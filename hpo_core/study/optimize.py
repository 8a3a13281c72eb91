"""A whole study in one call."""

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
        parameters: What to search.
        objective: The metric's name, with `direction`; or an `Objective`, or several of them.
        direction: ``"minimize"`` or ``"maximize"``.
        constraints: Metrics that a trial must keep at or below a bound to be among the best; a
            name alone has the bound 0.
        budget: The limits; None to run until the strategy has nothing more to try.
        strategy: A config string such as ``"optuna:tpe"``, or your own strategy.
        options: The strategy's options.
        workers: How many jobs run at once.
        backend: ``"local"`` runs jobs in worker processes, ``"inline"`` in this process.
        seed: Random seed of the study. If None, a stored study keeps its own, and a new one
            draws one.
        name: The study's name.
        store: The file that keeps the study, so that it can be resumed; None for memory.
        enqueue: Known configurations to run first.
        time_limit: Seconds after which a job is ended.
        on_time_limit: Whether such a job is ``"complete"`` with what it has reported, or is to
            ``"fail"``. None for what the stored study has, or ``"complete"`` for a new one.
        max_iterations: Maximum number of iterations per job.
        min_iterations: A job is not stopped early before this iteration.
        retries: How many times a failed job is run again.
        max_failures_at_start: If the first so many trials all fail, the study fails; 0 for no
            limit. None for what the stored study has, or 5 for a new one.
        on_job_finished: Called once for each job that has ended.
        observers: Observers to notify of study events.

    Raises:
        InvalidInput: With every fault of the arguments.
        PluginError: If the strategy or backend is missing or can't do what is needed.
        StudyFailed: If the study fails: its strategy raised, or its first trials all failed.
        KeyboardInterrupt: After Ctrl-C, when all jobs are gone.
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
