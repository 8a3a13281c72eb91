"""The options: SMAC's own names and defaults. Importing this does not import SMAC."""

from __future__ import annotations

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What both facades have in common.

    Attributes:
        n_trials: Number of trials that SMAC plans with: at most `max_ratio` of them are initial.
        n_configs: Number of initial configurations; None to derive it from the parameters.
        max_ratio: Maximum ratio of initial configurations to `n_trials`.
        xi: Exploration of the expected improvement.
        local_search_iterations: Number of local searches for the best expected improvement.
        retries: Number of repetitions in a row after which a random configuration is used.
    """

    n_trials: int = 100
    n_configs: int | None = None
    max_ratio: float = 0.25
    xi: float = 0.0
    local_search_iterations: int = 10
    retries: int = 16


class Forest(Options, frozen=True):
    """SMAC's `HyperparameterOptimizationFacade`.

    Attributes:
        n_configs_per_hyperparameter: Number of initial configurations per parameter.
        n_trees: Number of trees of the forest.
        challengers: Number of random configurations among which to look for the next one.
        probability: Probability of a random configuration.
        retrain_after: Number of configurations after which the model is fitted again.
    """

    n_configs_per_hyperparameter: int = 10
    n_trees: int = 10
    challengers: int = 10000
    probability: float = 0.2
    retrain_after: int = 8


class BlackBox(Options, frozen=True):
    """SMAC's `BlackBoxFacade`.

    Attributes:
        n_configs_per_hyperparameter: Number of initial configurations per parameter.
        challengers: Number of random configurations among which to look for the next one.
        probability: Probability of a random configuration.
        retrain_after: Number of configurations after which the model is fitted again.
    """

    n_configs_per_hyperparameter: int = 8
    challengers: int = 1000
    probability: float = 0.08447232371720552
    retrain_after: int = 1


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    counts = (
        "n_trials n_configs local_search_iterations retries n_configs_per_hyperparameter n_trees "
        "challengers retrain_after"
    )
    faults = [
        Fault(name, "give 1 or more")
        for name in counts.split()
        if (given := getattr(options, name, None)) is not None and given < 1
    ]
    faults += [
        Fault(name, "give a number from 0 to 1")
        for name in ("max_ratio", "probability")
        if not 0.0 <= getattr(options, name) <= 1.0
    ]
    if options.xi < 0.0:
        faults.append(Fault("xi", "give 0 or more"))
    if faults:
        raise InvalidInput(faults)
