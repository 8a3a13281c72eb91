"""What is wrong with options that Optuna takes, and raises at many trials later."""

from __future__ import annotations

from collections.abc import Iterator

from hpo_core.plugin import Fault, Problem
from hpo_optuna.options import NSGA3, TPE, CmaEs, Options
from hpo_optuna.pruners import Hyperband, Patient, Pruner, as_options


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
