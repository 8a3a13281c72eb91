"""The options of each sampler: Optuna's own names and defaults, and what all of them share.

Left out are a sampler's seed (the study's is taken), what Optuna has deprecated, and parameters
that are Python functions or objects. Importing this does not import Optuna.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

import msgspec

from hpo_core.plugin import Constraint, Problem, Value
from hpo_optuna.pruners import Pruner, PrunerName


class SamplerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all samplers have in common.

    Attributes:
        optuna: The sampler's class in Optuna.
        pruner: The pruner: a name, or a table with its name and parameters.
        fixed: Parameters that keep one value, so that only the others are searched.
    """

    optuna: ClassVar[str]
    pruner: Pruner | PrunerName | None = None
    fixed: Mapping[str, Value] = {}


class Constrained(SamplerOptions, frozen=True):
    """A sampler that supports constraints.

    Attributes:
        constraints: Metrics that are constrained for the sampler alone, beyond the study's own
            constraints; a name alone has the bound 0.
    """

    constraints: tuple[Constraint | str, ...] = ()


class TPE(Constrained, frozen=True):
    """Tree-structured Parzen estimator."""

    optuna: ClassVar[str] = "TPESampler"
    n_startup_trials: int = 10
    n_ei_candidates: int = 24
    multivariate: bool | None = None
    group: bool = False
    constant_liar: bool = True


class CmaEs(SamplerOptions, frozen=True):
    """Covariance matrix adaptation evolution strategy."""

    optuna: ClassVar[str] = "CmaEsSampler"
    n_startup_trials: int = 1
    popsize: int | None = None
    consider_pruned_trials: bool = False
    use_separable_cma: bool = False
    with_margin: bool = False
    lr_adapt: bool = False
    warn_independent_sampling: bool = True


class GP(Constrained, frozen=True):
    """Bayesian optimization with a Gaussian process."""

    optuna: ClassVar[str] = "GPSampler"
    n_startup_trials: int = 10
    deterministic_objective: bool = False
    warn_independent_sampling: bool = True


class Genetic(Constrained, frozen=True):
    """What NSGA-II and NSGA-III have in common."""

    population_size: int = 50
    mutation: Literal["polynomial"] | None = None
    mutation_prob: float | None = None
    crossover: Literal["uniform", "blxalpha", "spx", "sbx", "vsbx", "undx"] | None = None
    crossover_prob: float = 0.9
    swapping_prob: float = 0.5


class NSGA2(Genetic, frozen=True):
    """Nondominated sorting genetic algorithm II."""

    optuna: ClassVar[str] = "NSGAIISampler"


class NSGA3(Genetic, frozen=True):
    """Nondominated sorting genetic algorithm III, for many objectives."""

    optuna: ClassVar[str] = "NSGAIIISampler"
    reference_points: tuple[tuple[float, ...], ...] | None = None
    dividing_parameter: int = 3


class QMC(SamplerOptions, frozen=True):
    """A quasi-random sequence."""

    optuna: ClassVar[str] = "QMCSampler"
    qmc_type: Literal["sobol", "halton"] = "sobol"
    scramble: bool = False
    warn_independent_sampling: bool = True


class Random(SamplerOptions, frozen=True):
    """Independent draws."""

    optuna: ClassVar[str] = "RandomSampler"


class BruteForce(SamplerOptions, frozen=True):
    """Every configuration of a finite space once, in random order."""

    optuna: ClassVar[str] = "BruteForceSampler"
    avoid_premature_stop: bool = False


Options: TypeAlias = TPE | CmaEs | GP | NSGA2 | NSGA3 | QMC | Random | BruteForce


def constraints_of(problem: Problem, options: Options) -> tuple[Constraint, ...]:
    """Return the constraints of a sampler: those of the study, and its own."""
    given = options.constraints if isinstance(options, Constrained) else ()
    own = [Constraint(each) if isinstance(each, str) else each for each in given]
    return (*problem.constraints, *(each for each in own if each not in problem.constraints))
