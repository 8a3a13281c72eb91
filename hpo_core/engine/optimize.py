"""A whole study in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from hpo_core import client
from hpo_core.config import JobSettings, PluginChoice, StudyConfig, from_json
from hpo_core.contracts.observer import FinishedJob, Observer
from hpo_core.contracts.strategy import Strategy
from hpo_core.engine.optimizer import HyperParameterOptimizer
from hpo_core.engine.result import Result
from hpo_core.engine.signals import interruptible
from hpo_core.model.budget import Budget
from hpo_core.model.checked import without_order
from hpo_core.model.constraint import Constraint
from hpo_core.model.errors import BackendError, Fault, InvalidInput
from hpo_core.model.functions import function_reference
from hpo_core.model.objective import Objective
from hpo_core.model.parameters import Parameter
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Value
from hpo_core.store.store import Store


def optimize(
    function: Callable[..., Any],
    parameters: Sequence[Parameter] | SearchSpace,
    *,
    objective: Objective | Sequence[Objective],
    constraints: Iterable[str | Constraint] = (),
    budget: Budget | None = None,
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
    """Find the parameters that make a function's numbers best.

    Args:
        function: Called with a configuration (a mapping), and with the job (`JobInfo`) as a
            second argument if it takes one. It returns the objective's value, or a mapping of
            metrics, or nothing if it has reported.
        parameters: What to search.
        objective: Which metric counts, and how; or several.
        constraints: Metrics that a trial must keep at or below a bound to be among the best; a
            name alone has the bound 0.
        budget: The limits; None to go on until the strategy has nothing more to try.
        strategy: A config string such as ``"optuna:tpe"``, or a strategy of your own.
        options: The strategy's options.
        workers: How many jobs run at once.
        backend: ``"local"`` runs jobs in worker processes, ``"inline"`` in this process.
        seed: The source of all randomness; None to draw one.
        name: The study's name.
        store: The file that keeps the study, so that it can be carried on; None for memory.
        enqueue: Known configurations to run first.
        time_limit: Seconds after which a job is ended.
        on_time_limit: Whether such a job is ``"complete"`` with what it has reported, or is to
            ``"fail"``. None for what the stored study has, or ``"complete"`` for a new one.
        max_iterations: How far a job trains at the most.
        min_iterations: A job is not stopped early before this iteration.
        retries: How many times a failed job is run again.
        max_failures_at_start: If the first so many trials all fail, the study fails; 0 to go on.
            None for what the stored study has, or 5 for a new one.
        on_job_finished: Called once for each job that has ended.
        observers: Whom to tell what happens.

    Raises:
        InvalidInput: With every fault of the arguments.
        PluginError: If the strategy or backend is missing or can't do what is needed.
        StudyFailed: If the study fails: its strategy raised, or its first trials all failed.
        KeyboardInterrupt: After Ctrl-C, when all jobs are gone.
    """
    client.end_loading()
    _refuse_sets(
        parameters=parameters,
        objective=objective,
        constraints=constraints,
        enqueue=enqueue,
        observers=observers,
    )
    space = parameters if isinstance(parameters, SearchSpace) else SearchSpace(tuple(parameters))
    config = StudyConfig(
        name=name,
        seed=_seed(seed, store, name),
        workers=workers,
        strategy=PluginChoice(strategy if isinstance(strategy, str) else "", dict(options or {})),
        objectives=(objective,) if isinstance(objective, Objective) else tuple(objective),
        constraints=tuple(
            Constraint(each) if isinstance(each, str) else each for each in constraints
        ),
        budget=budget or Budget(),
        job=JobSettings(
            function=_reference(function, backend),
            directory=os.getcwd(),
            time_limit=time_limit,
            on_time_limit=on_time_limit,
            min_iterations=min_iterations,
            max_iterations=max_iterations,
            retries=retries,
        ),
        space=space,
        backend=PluginChoice(backend),
        max_failures_at_start=max_failures_at_start,
        enqueue=tuple(dict(values) for values in enqueue),
    )
    with HyperParameterOptimizer(
        config,
        store=store,
        strategy=None if isinstance(strategy, str) else strategy,
        function=function,
        observers=observers,
    ) as optimizer:
        with interruptible(optimizer) as interruption:
            result = optimizer.run(on_job_finished)
        if interruption.count:
            raise KeyboardInterrupt
        return result


def _refuse_sets(**given: object) -> None:
    wrong = {name: without_order(value) for name, value in given.items()}
    faults = [Fault(name, message) for name, message in wrong.items() if message is not None]
    if faults:
        raise InvalidInput(faults)


def _reference(function: Callable[..., Any], backend: str) -> str:
    """Return how the function is called in the stored configuration."""
    try:
        return function_reference(function)
    except BackendError:
        if backend != "inline":
            raise
        kind = type(function).__qualname__  # of a callable object, which has no name of its own
        return f"{function.__module__}:{getattr(function, '__qualname__', kind)}"


def _seed(seed: int | None, store: str | os.PathLike[str] | None, name: str) -> int:
    """Return the given seed, else that of the stored study, else a new one."""
    if seed is None and store is not None and os.path.exists(store):
        with Store(store) as opened:
            found = opened.find(name)
        if found is not None:
            return from_json(found.config).seed
    return int.from_bytes(os.urandom(4), "big") if seed is None else seed
