"""Build a variant with its searcher from checked options."""

from __future__ import annotations

from hpo_asha import options as option
from hpo_asha.halving import SuccessiveHalving
from hpo_asha.median import Median
from hpo_asha.options import Options
from hpo_asha.population import Population, Settings
from hpo_asha.promotion import Promotion
from hpo_asha.rungs import BracketTurns, hyperband_sizes
from hpo_asha.searcher import Searcher
from hpo_asha.stopping import Stopping
from hpo_core.plugin import Capability, Fault, InvalidInput, Problem, StrategyChoice, build_strategy


def scheduler(
    problem: Problem, options: Options
) -> Promotion | Stopping | SuccessiveHalving | Median | Population:
    """Build a variant.

    Raises:
        InvalidInput: With all faults of the options, including those of the searcher.
        PluginError: If the searcher is missing or broken, or does not support what the problem
            needs.
    """
    faults = list(option.faults(problem, options))
    try:
        searcher = _searcher(problem, options.searcher)
    except InvalidInput as error:
        raise InvalidInput([*faults, *error.faults]) from error
    if faults:
        raise InvalidInput(faults)
    match options:
        case option.MedianOptions():
            grace = option.lowest(problem, options)
            return Median(problem, searcher, options.min_trials, grace)
        case option.PBTOptions():
            return Population(problem, searcher, _settings(problem, options))
    rungs = option.levels(problem, options)
    completes = options.rules >= 2
    match options:
        case option.ShaOptions():
            size = options.eta ** (len(rungs) - 1) if options.n is None else options.n
            return SuccessiveHalving(problem, searcher, rungs, size, options.eta, completes)
        case option.AshaOptions(type="stopping"):
            return Stopping(problem, searcher, _brackets(options, rungs), options.eta)
        case option.AshaOptions():
            brackets = _brackets(options, rungs)
            return Promotion(problem, searcher, brackets, options.eta, completes)


def _searcher(problem: Problem, choice: StrategyChoice) -> Searcher:
    built = build_strategy(choice, problem)
    if Capability.RESUMING in built.capabilities:
        message = (
            f"{choice.name!r} resumes trials itself, which conflicts with this scheduler; use "
            f"a strategy that only suggests configurations, such as random or optuna:tpe"
        )
        raise InvalidInput([Fault("searcher", message)])
    return Searcher(choice.name, built.strategy, built.capabilities)


def _brackets(options: option.AshaOptions, rungs: tuple[int, ...]) -> BracketTurns:
    """Return a single bracket, or those of Hyperband."""
    if not isinstance(options, option.HyperbandOptions):
        return BracketTurns([rungs], [1])
    count = len(rungs) if options.brackets is None else options.brackets
    sizes = hyperband_sizes(len(rungs), options.eta)[:count]
    return BracketTurns([rungs[bracket:] for bracket in range(count)], sizes)


def _settings(problem: Problem, options: option.PBTOptions) -> Settings:
    return Settings(
        population_size=options.population_size,
        interval=option.interval(problem, options),
        quantile_fraction=options.quantile_fraction,
        names=option.names(problem, options),
        resample_probability=options.resample_probability,
        perturbation_factors=options.perturbation_factors,
        rules=options.rules,
    )
