"""The options: Hyperopt's own names and defaults. Importing this does not import Hyperopt."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the algorithms have in common.

    Attributes:
        algorithm: The module of Hyperopt whose ``suggest`` is used.
    """

    algorithm: ClassVar[str]


class TPE(Options, frozen=True):
    """Tree-structured Parzen estimator.

    Attributes:
        prior_weight: Weight of the prior in the model.
        n_startup_jobs: Number of random configurations at the start.
        n_EI_candidates: Number of candidates drawn from the model, of which the best is used.
        gamma: Fraction of the results that count as good.
    """

    algorithm: ClassVar[str] = "tpe"
    prior_weight: float = 1.0
    n_startup_jobs: int = 20
    n_EI_candidates: int = 24
    gamma: float = 0.25


class Anneal(Options, frozen=True):
    """Simulated annealing.

    Attributes:
        avg_best_idx: Mean of the geometric distribution from which the rank of the result to search
            around is drawn.
        shrink_coef: Rate at which the neighbourhood shrinks with the number of results.
    """

    algorithm: ClassVar[str] = "anneal"
    avg_best_idx: float = 2.0
    shrink_coef: float = 0.1


class Random(Options, frozen=True):
    """Random draws."""

    algorithm: ClassVar[str] = "rand"


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    faults = []
    if isinstance(options, TPE):
        if options.prior_weight <= 0.0:
            faults.append(Fault("prior_weight", "give a number above 0"))
        if options.n_startup_jobs < 1:
            faults.append(Fault("n_startup_jobs", "give 1 or more"))
        if options.n_EI_candidates < 1:
            faults.append(Fault("n_EI_candidates", "give 1 or more"))
        if not 0.0 < options.gamma < 1.0:
            faults.append(Fault("gamma", "give a number between 0 and 1"))
    if isinstance(options, Anneal):
        if options.avg_best_idx < 1.0:
            faults.append(Fault("avg_best_idx", "give 1 or more"))
        if options.shrink_coef < 0.0:
            faults.append(Fault("shrink_coef", "give 0 or more"))
    if faults:
        raise InvalidInput(faults)
