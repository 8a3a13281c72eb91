"""What is wrong with options that Optuna accepts.

With some it raises many trials later; with others the pruner never stops a job.
"""

from __future__ import annotations

from collections.abc import Iterator

from hpo_core.plugin import Fault, Problem
from hpo_optuna.options import NSGA3, TPE, CmaEs, Options
from hpo_optuna.pruners import (
    Asha,
    Hyperband,
    Median,
    Patient,
    Percentile,
    Pruner,
    Threshold,
    as_options,
)


def late_faults(problem: Problem, options: Options) -> Iterator[Fault]:
    """Yield what Optuna would find only when it uses an option."""
    match options:
        case TPE():
            yield from _too_small("n_ei_candidates", options.n_ei_candidates, 1)
        case CmaEs(popsize=int(given)):
            yield from _too_small("popsize", given, 2)
        case NSGA3(reference_points=None):
            yield from _too_small("dividing_parameter", options.dividing_parameter, 1)
        case NSGA3():
            yield from _points(problem, options)
    if options.pruner is not None:
        yield from _of_pruner(as_options(options.pruner), "pruner")


def why_nothing_is_pruned(problem: Problem, options: Options) -> str | None:
    """Return the reason why the pruner can never stop a job of the study, if there is one."""
    if options.pruner is None:
        return None
    return _why_none(as_options(options.pruner), problem.max_iterations, "pruner")


def _why_none(pruner: Pruner, most: int | None, path: str) -> str | None:
    match pruner:
        case Patient(wrapped_pruner=wrapped) if wrapped is not None:
            return _why_none(wrapped, most, f"{path}.wrapped_pruner")
        case Hyperband(max_resource=int(highest)) if highest < pruner.min_resource:
            return f"{path}.max_resource, {highest}, is below min_resource, {pruner.min_resource}"
        case Asha(min_resource=int(first)) | Hyperband(min_resource=first):
            name = "min_resource"
        case Median() | Percentile() | Threshold():
            name, first = "n_warmup_steps", pruner.n_warmup_steps
        case _:
            return None
    if most is None or first < most:
        return None
    return f"{path}.{name} is {first}, and job.max_iterations {most}"


def _points(problem: Problem, options: NSGA3) -> Iterator[Fault]:
    many = len(problem.objectives)
    if not options.reference_points:
        yield Fault("reference_points", "is empty; give some, or leave it out")
    for place, point in enumerate(options.reference_points or ()):
        if len(point) != many:
            message = f"must have a number for each objective, {many}, got {len(point)}"
            yield Fault(f"reference_points[{place}]", message)


def _of_pruner(pruner: Pruner, path: str) -> Iterator[Fault]:
    match pruner:
        case Patient(wrapped_pruner=wrapped) if wrapped is not None:
            yield from _of_pruner(wrapped, f"{path}.wrapped_pruner")
        case Hyperband():
            yield from _too_small(f"{path}.min_resource", pruner.min_resource, 1)
            yield from _too_small(f"{path}.reduction_factor", pruner.reduction_factor, 2)
            if isinstance(pruner.max_resource, int):
                yield from _too_small(f"{path}.max_resource", pruner.max_resource, 1)


def _too_small(name: str, given: int, least: int) -> Iterator[Fault]:
    if given < least:
        yield Fault(name, f"must be {least} or more, got {given}")
