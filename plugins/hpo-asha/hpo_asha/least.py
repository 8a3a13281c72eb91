"""The minimum number of jobs of a variant until a first trial is completed."""

from __future__ import annotations

from itertools import accumulate

from hpo_asha.options import (
    AshaOptions,
    HyperbandOptions,
    MedianOptions,
    Options,
    PBTOptions,
    ShaOptions,
    faults,
    interval,
    levels,
)
from hpo_asha.rungs import hyperband_sizes
from hpo_core.plugin import Problem


def jobs_to_complete(problem: Problem, options: Options) -> int:
    """Return the minimum number of jobs.


    Raises:
        ValueError: If the options are invalid.
    """
    if any(True for _ in faults(problem, options)):  # with an eta of 1 the rungs would not end
        raise ValueError("the options are invalid")
    match options:
        case MedianOptions():
            return 1
        case PBTOptions():
            steps = -(-(problem.max_iterations or 1) // interval(problem, options))
            others = max(options.population_size - problem.workers, 0)
            return (steps - 1) * (others + 1) + 1
        case AshaOptions(type="stopping"):
            return 1
    eta, count = options.eta, len(levels(problem, options))
    match options:
        case HyperbandOptions():
            return _of_brackets(eta, count, options.brackets or count)
        case ShaOptions():
            return _of_halving(eta, count, options.n or int(eta ** (count - 1)))
        case _:
            return _of_rungs(eta, count)


def _of_halving(eta: int, count: int, trials: int) -> int:
    """Return it for synchronous rungs: all jobs below the last rung, and one job there."""
    return int(sum(trials // eta**rung for rung in range(count - 1))) + 1


def _of_rungs(eta: int, count: int) -> int:
    """Return it for rungs that promote at once.

    A rung promotes a trial when `eta` trials have reached it and, in the best case that each trial
    is better than all before, another one with each further trial.
    """
    return sum(place * (eta - 1) + 1 for place in range(count))


def _of_brackets(eta: int, count: int, brackets: int) -> int:
    """Return the minimum over brackets; earlier brackets have started all their trials."""
    sizes = hyperband_sizes(count, eta)[:brackets]
    before = accumulate(sizes, initial=0)
    return min(
        begun + _of_rungs(eta, count - bracket)
        for bracket, begun in zip(range(brackets), before, strict=False)
    )
