"""The options of each variant: hpbandster's own names and defaults. Importing this is cheap.

Three kinds of options are omitted: the budgets, which are the job's minimum and maximum iterations,
the seed, which is that of the study, and the options of hpbandster's network layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from hpo_core.plugin import Capability, Fault, Problem


class Bandit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all variants have in common.

    Attributes:
        eta: Reduction factor: the best ``1 / eta`` of a rung are promoted, and train ``eta`` times
            as long.
        n_iterations: Number of brackets; None for as many as the study's budget allows.
    """

    eta: float = 3.0
    n_iterations: int | None = None


class RandomOptions(Bandit, frozen=True):
    """The options of ``bohb:random``; ``eta`` only determines the number of runs in a bracket."""


class HyperBandOptions(Bandit, frozen=True):
    """The options of ``bohb:hyperband``.

    Attributes:
        resume: Whether a promoted trial is resumed from its checkpoint; if not, its configuration
            is trained again from the start, as a new trial.
    """

    resume: bool = True


class BOHBOptions(HyperBandOptions, frozen=True):
    """The options of ``bohb``; see Falkner et al. 2018, section 4.

    Attributes:
        min_points_in_model: Number of results on a budget from which a model is built, and minimum
            number of good ones; if None, the number of parameters plus one.
        top_n_percent: Percentage of the results that count as good.
        num_samples: Number of configurations drawn from the model, of which the best is used.
        random_fraction: Fraction of configurations that are drawn at random.
        bandwidth_factor: Factor on the bandwidths when drawing from the model.
        min_bandwidth: Minimum bandwidth, on an axis of length 1.
    """

    min_points_in_model: int | None = None
    top_n_percent: int = 15
    num_samples: int = 64
    random_fraction: float = 1 / 3
    bandwidth_factor: float = 3.0
    min_bandwidth: float = 1e-3


def abilities(options: Bandit) -> frozenset[Capability]:
    """Return the capabilities of a strategy with these options.

    Only random search supports constraints, since it does not learn from results.
    """
    always = frozenset(
        {
            Capability.CONDITIONAL,
            Capability.FORBIDDEN,
            Capability.INTEGERS,
            Capability.CATEGORICALS,
        }
    )
    match options:
        case RandomOptions():
            return always | {Capability.CONSTRAINTS}
        case HyperBandOptions(resume=True):
            return always | {Capability.RESUMING}
        case _:
            return always


def jobs_to_complete(problem: Problem, options: Bandit) -> int:
    """Return the minimum number of jobs until a first trial is completed.

    Brackets are hpbandster's: one starts with ``eta^s`` or more configurations, and each rung has
    ``1 / eta`` of the configurations of the previous one. A later bracket starts when the earlier
    ones have started all their configurations.
    """
    if isinstance(options, RandomOptions):
        return 1
    share = problem.min_iterations / (problem.max_iterations or 1)
    rungs = -int(math.log(share) / math.log(options.eta)) + 1
    least, begun = math.inf, 0
    for last in range(rungs - 1, -1, -1):
        first = int(rungs // (last + 1) * options.eta**last)
        own = sum(max(int(first * options.eta**-rung), 1) for rung in range(last)) + 1
        least, begun = min(least, begun + own), begun + first
    return int(least)


def faults(problem: Problem, options: Bandit) -> Iterator[Fault]:
    """Find all faults of the options and of the job's iterations."""
    if problem.max_iterations is None:
        yield Fault(
            "job.max_iterations",
            "missing: hpbandster's budgets go up to it; give the most that a job can train, in "
            "epochs or the like",
        )
    if not 2 <= options.eta < math.inf:
        yield Fault("eta", f"must be 2 or more, and finite, got {options.eta}")
    if options.n_iterations is not None and options.n_iterations < 1:
        yield Fault("n_iterations", f"must be 1 or more, got {options.n_iterations}")
    if isinstance(options, BOHBOptions):
        yield from _model_faults(problem, options)


def _model_faults(problem: Problem, options: BOHBOptions) -> Iterator[Fault]:
    least = len(problem.space.parameters) + 1
    points = options.min_points_in_model
    if points is not None and points < least:
        yield Fault(
            "min_points_in_model",
            f"must be one more than there are parameters, {least}, or above; got {points}",
        )
    if not 1 <= options.top_n_percent <= 99:
        yield Fault("top_n_percent", f"must be from 1 to 99, got {options.top_n_percent}")
    if options.num_samples < 1:
        yield Fault("num_samples", f"must be 1 or more, got {options.num_samples}")
    if not 0 <= options.random_fraction <= 1:
        yield Fault("random_fraction", f"must be from 0 to 1, got {options.random_fraction}")
    for name in ("bandwidth_factor", "min_bandwidth"):
        if not 0 < getattr(options, name) < math.inf:
            yield Fault(name, f"must be above 0, and finite, got {getattr(options, name)}")
