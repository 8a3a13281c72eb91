"""The options: Syne Tune's own names and defaults. Importing this does not import Syne Tune."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all searchers have in common.

    Attributes:
        searcher: The searcher in Syne Tune.
    """

    searcher: ClassVar[str]


class BORE(Options, frozen=True):
    """Bayesian optimization by density-ratio estimation.

    Attributes:
        gamma: Fraction of the results that count as good.
        calibrate: Whether the probabilities of the classifier are calibrated.
        classifier: The classifier: ``xgboost``, ``mlp``, ``gp``, ``rf`` or ``logreg``.
        acq_optimizer: How the next configuration is searched for: ``rs`` or ``de``.
        feval_acq: Number of configurations that are searched.
        random_prob: Probability of a random configuration.
        init_random: Number of random configurations at the start.
    """

    searcher: ClassVar[str] = "Bore"
    gamma: float = 0.25
    calibrate: bool = False
    classifier: Literal["xgboost", "gp", "rf", "mlp", "logreg"] = "xgboost"
    acq_optimizer: Literal["rs", "de", "rs_with_replacement"] = "rs"
    feval_acq: int = 500
    random_prob: float = 0.0
    init_random: int = 6


class KDE(Options, frozen=True):
    """Kernel density estimation.

    Attributes:
        num_min_data_points: Number of results before the model is used; None for the number of
            parameters.
        top_n_percent: Percentage of the results that count as good.
        min_bandwidth: Minimum bandwidth.
        num_candidates: Number of candidates drawn from the model.
        bandwidth_factor: Factor on the bandwidths when drawing.
        random_fraction: Fraction of random configurations.
    """

    searcher: ClassVar[str] = "KernelDensityEstimator"
    num_min_data_points: int | None = None
    top_n_percent: int = 15
    min_bandwidth: float = 1e-3
    num_candidates: int = 64
    bandwidth_factor: int = 3
    random_fraction: float = 0.33


class REA(Options, frozen=True):
    """Regularized evolution.

    Attributes:
        population_size: Number of results that are kept, the newest ones.
        sample_size: Number of them among which a parent is picked.
    """

    searcher: ClassVar[str] = "RegularizedEvolution"
    population_size: int = 100
    sample_size: int = 10


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    counts = "feval_acq init_random num_min_data_points num_candidates population_size sample_size"
    faults = [
        Fault(name, "give 1 or more")
        for name in counts.split()
        if (given := getattr(options, name, None)) is not None and given < 1
    ]
    faults += [
        Fault(name, "give a number from 0 to 1")
        for name in ("gamma", "random_prob", "random_fraction")
        if not 0.0 <= getattr(options, name, 0.0) <= 1.0
    ]
    if faults:
        raise InvalidInput(faults)
