"""The options of each variant, and their validation for a problem."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from hpo_asha import rungs
from hpo_core.plugin import Fault, Problem, StrategyChoice, nearest


class SchedulerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all variants have in common.

    Attributes:
        searcher: The strategy that suggests configurations.
    """

    searcher: StrategyChoice = StrategyChoice("random")


class RungOptions(SchedulerOptions, frozen=True):
    """What the variants with rungs have in common.

    Attributes:
        eta: The reduction factor: the best ``1 / eta`` of a rung train on, ``eta`` times as far.
        grace_period: The least iterations of the lowest rung; ``job.min_iterations`` if None.
        rules: Version of the rules; 1 is for studies stored before version 2 existed.
    """

    eta: int = 3
    grace_period: int | None = None
    rules: Literal[1, 2] = 2


class AshaOptions(RungOptions, frozen=True):
    """The options of ``asha``.

    Attributes:
        type: Whether trials are paused at rungs and resumed later, or jobs stopped at once.
    """

    type: Literal["promotion", "stopping"] = "promotion"


class HyperbandOptions(AshaOptions, frozen=True):
    """The options of ``asha:hyperband``.

    Attributes:
        brackets: Number of brackets, those with the most rungs first; all if None.
    """

    brackets: int | None = None


class ShaOptions(RungOptions, frozen=True):
    """The options of ``asha:sha``.

    Attributes:
        n: Number of trials that start in a bracket; if None, the number from which one is trained
            completely.
    """

    n: int | None = None


class MedianOptions(SchedulerOptions, frozen=True):
    """The options of ``asha:median``.

    Attributes:
        min_trials: Number of completed trials from which the rule applies.
        grace_period: From which iteration on; ``job.min_iterations`` if None.
    """

    min_trials: int = 5
    grace_period: int | None = None


class PBTOptions(SchedulerOptions, frozen=True):
    """The options of ``asha:pbt``.

    Attributes:
        population_size: Number of members; 20 or more in the paper.
        perturbation_interval: Number of iterations that a member trains before it is compared; a
            tenth of ``job.max_iterations`` if None.
        quantile_fraction: Fraction of the population that counts as bad and copies from an equal
            number of good members.
        resample_probability: Probability that a parameter is drawn again when explored.
        perturbation_factors: The two factors for numbers, of which one is chosen at random.
        perturb: The parameters that exploring changes, a set by its own name; all if None. The
            others are copied with the checkpoint: name here what that can do with, not a layer's
            size.
        rules: Version of the rules; 1 is for studies stored before version 2 existed.
    """

    population_size: int = 10
    perturbation_interval: int | None = None
    quantile_fraction: float = 0.2
    resample_probability: float = 0.25
    perturbation_factors: tuple[float, float] = (1.2, 0.8)
    perturb: tuple[str, ...] | None = None
    rules: Literal[1, 2] = 2


Options: TypeAlias = AshaOptions | HyperbandOptions | ShaOptions | MedianOptions | PBTOptions


def faults(problem: Problem, options: Options) -> Iterator[Fault]:
    """Find all faults of a variant's options, or of the problem for this variant."""
    match options:
        case MedianOptions():
            yield from _median_faults(problem, options)
        case PBTOptions():
            yield from _pbt_faults(problem, options)
        case _:
            yield from _rung_faults(problem, options)


def lowest(problem: Problem, options: RungOptions | MedianOptions) -> int:
    """Return the iterations of the lowest rung, or from which on the median rule applies."""
    given = options.grace_period
    return problem.min_iterations if given is None else given


def levels(problem: Problem, options: RungOptions) -> tuple[int, ...]:
    """Return the iterations of each rung."""
    if options.rules == 1:
        spaced = rungs.levels_from_below
    elif isinstance(options, AshaOptions) and options.type == "stopping":
        spaced = rungs.levels_to_stop_at
    else:
        spaced = rungs.levels
    return spaced(lowest(problem, options), problem.max_iterations or 0, options.eta)


def interval(problem: Problem, options: PBTOptions) -> int:
    """Return for how many iterations a member trains before it is compared."""
    if options.perturbation_interval is not None:
        return options.perturbation_interval
    return max(problem.min_iterations, math.ceil((problem.max_iterations or 1) / 10))


def names(problem: Problem, options: PBTOptions) -> tuple[str, ...]:
    """Return the parameters that exploring changes."""
    if options.perturb is not None:
        return options.perturb
    return tuple(axis.name for axis in problem.space.parameters)


def _missing_end(what: str) -> Fault:
    message = f"missing: {what}; give the most that a job can train, in epochs"
    return Fault("job.max_iterations", message)


def _grace_faults(problem: Problem, options: RungOptions | MedianOptions) -> Iterator[Fault]:
    least = problem.min_iterations
    if options.grace_period is not None and options.grace_period < least:
        message = f"must be job.min_iterations, which is {least}, or more"
        yield Fault("grace_period", f"{message}, got {options.grace_period}")


def _rung_faults(
    problem: Problem, options: AshaOptions | HyperbandOptions | ShaOptions
) -> Iterator[Fault]:
    yield from _grace_faults(problem, options)
    if options.eta < 2:
        yield Fault("eta", f"must be 2 or more, got {options.eta}")
    most = problem.max_iterations
    if most is None:
        yield _missing_end("the last rung lies there")
        return
    least = lowest(problem, options)
    if least >= most:
        where = "" if options.grace_period is None else "grace_period"
        yield Fault(
            where,
            f"the lowest rung, at {least} iterations, must lie below job.max_iterations, which is "
            f"{most}",
        )
    elif options.eta >= 2 and least >= 1:
        yield from _size_faults(options, len(levels(problem, options)))


def _size_faults(
    options: AshaOptions | HyperbandOptions | ShaOptions, count: int
) -> Iterator[Fault]:
    match options:
        case HyperbandOptions(brackets=int(given)) if not 1 <= given <= count:
            message = f"must be 1 to {count}, as many as there are rungs, got {given}"
            yield Fault("brackets", message)
        case ShaOptions(n=int(given)) if given < options.eta ** (count - 1):
            yield Fault(
                "n",
                f"must be {options.eta ** (count - 1)} or more, so that one of them passes all "
                f"{count} rungs, got {given}",
            )
        case _:
            pass


def _median_faults(problem: Problem, options: MedianOptions) -> Iterator[Fault]:
    yield from _grace_faults(problem, options)
    if options.min_trials < 1:
        yield Fault("min_trials", f"must be 1 or more, got {options.min_trials}")


def _pbt_faults(problem: Problem, options: PBTOptions) -> Iterator[Fault]:
    size, fraction = options.population_size, options.quantile_fraction
    if size < 2:
        yield Fault("population_size", f"must be 2 or more, got {size}")
    if not 0 < fraction <= 0.5:
        yield Fault("quantile_fraction", f"must be above 0, and 0.5 at most, got {fraction}")
    elif size >= 2 and int(size * fraction) < 1:
        yield Fault(
            "quantile_fraction",
            f"{fraction} of {size} members is less than one member; use {1 / size:.3g}",
        )
    if not 0 <= options.resample_probability <= 1:
        given: object = options.resample_probability
        yield Fault("resample_probability", f"must be 0 to 1, got {given}")
    for place, factor in enumerate(options.perturbation_factors):
        if not (0 < factor < math.inf):
            message = f"must be a finite number above 0, got {factor}"
            yield Fault(f"perturbation_factors[{place}]", message)
    yield from _interval_faults(problem, options)
    known = [axis.name for axis in problem.space.parameters]
    for place, name in enumerate(options.perturb or ()):
        if name not in known:
            guess = nearest(name, known) or f"; there are {', '.join(known)}"
            message = f"there is no parameter {name!r}{guess}"
            yield Fault(f"perturb[{place}]", message)


def _interval_faults(problem: Problem, options: PBTOptions) -> Iterator[Fault]:
    least, most = problem.min_iterations, problem.max_iterations
    if most is None:
        yield _missing_end("members train until then")
    elif not least <= interval(problem, options) < most:
        given = interval(problem, options)
        yield Fault(
            "perturbation_interval",
            f"must be job.min_iterations ({least}) or more, and below job.max_iterations ({most}), "
            f"got {given}",
        )
