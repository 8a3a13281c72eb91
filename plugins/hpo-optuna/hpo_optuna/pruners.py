"""Optuna's pruners as options of a study: a name, or a table with its name and own parameters.

The structs have the parameters' own names and defaults. Importing this does not import Optuna.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


class PrunerOptions(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="name"
):
    """What all pruners have in common.

    Attributes:
        optuna: The pruner's class in Optuna.
        sees_best: Whether, where an objective counts its ``best`` value, it sees the best one
            so far. If not, it sees the metric as it is: what it does makes no sense otherwise.
    """

    optuna: ClassVar[str]
    sees_best: ClassVar[bool] = True


class Median(PrunerOptions, frozen=True, tag="median"):
    """Stop what is worse than the median of other trials at the same iteration."""

    optuna: ClassVar[str] = "MedianPruner"
    n_startup_trials: int = 5
    n_warmup_steps: int = 0
    interval_steps: int = 1
    n_min_trials: int = 1


class Percentile(PrunerOptions, frozen=True, tag="percentile"):
    """Keep only the best share of trials at each iteration: `percentile` from 0 to 100."""

    optuna: ClassVar[str] = "PercentilePruner"
    percentile: float
    n_startup_trials: int = 5
    n_warmup_steps: int = 0
    interval_steps: int = 1
    n_min_trials: int = 1


class Asha(PrunerOptions, frozen=True, tag="asha"):
    """Asynchronous successive halving: only the best at each rung go on."""

    optuna: ClassVar[str] = "SuccessiveHalvingPruner"
    min_resource: int | Literal["auto"] = "auto"
    reduction_factor: int = 4
    min_early_stopping_rate: int = 0
    bootstrap_count: int = 0


class Hyperband(PrunerOptions, frozen=True, tag="hyperband"):
    """Several brackets of successive halving, from eager to patient."""

    optuna: ClassVar[str] = "HyperbandPruner"
    min_resource: int = 1
    max_resource: int | Literal["auto"] = "auto"
    reduction_factor: int = 3
    bootstrap_count: int = 0


class Threshold(PrunerOptions, frozen=True, tag="threshold"):
    """Stop what leaves the range from `lower` to `upper`, or is not a number."""

    optuna: ClassVar[str] = "ThresholdPruner"
    sees_best: ClassVar[bool] = False
    lower: float | None = None
    upper: float | None = None
    n_warmup_steps: int = 0
    interval_steps: int = 1


class Wilcoxon(PrunerOptions, frozen=True, tag="wilcoxon"):
    """Stop what a signed-rank test finds worse than the best trial, iterations being instances."""

    optuna: ClassVar[str] = "WilcoxonPruner"
    sees_best: ClassVar[bool] = False
    p_threshold: float = 0.1
    n_startup_steps: int = 2


Wrapped: TypeAlias = Median | Percentile | Asha | Hyperband | Threshold | Wilcoxon


class Patient(PrunerOptions, frozen=True, tag="patient"):
    """Stop what has not improved for `patience` iterations, if `wrapped_pruner` agrees."""

    optuna: ClassVar[str] = "PatientPruner"
    sees_best: ClassVar[bool] = False
    patience: int
    min_delta: float = 0.0
    wrapped_pruner: Wrapped | None = None


Pruner: TypeAlias = Median | Percentile | Asha | Hyperband | Threshold | Wilcoxon | Patient

PrunerName: TypeAlias = Literal["median", "asha", "hyperband", "wilcoxon"]
"""The pruners that need no parameters, and so may be given by name alone."""

_BY_NAME: dict[str, type[Pruner]] = {
    "median": Median,
    "asha": Asha,
    "hyperband": Hyperband,
    "wilcoxon": Wilcoxon,
}


def as_options(pruner: Pruner | PrunerName) -> Pruner:
    """Return a pruner's options; a name alone stands for its defaults."""
    return msgspec.convert({}, _BY_NAME[pruner]) if isinstance(pruner, str) else pruner


def make_pruner(options: Pruner) -> BasePruner:
    """Make Optuna's own pruner of its options.

    Raises:
        ValueError: If Optuna refuses them.
        TypeError: The same.
    """
    from optuna import pruners

    arguments = {name: getattr(options, name) for name in options.__struct_fields__}
    if isinstance(options, Patient):
        wrapped = options.wrapped_pruner
        arguments["wrapped_pruner"] = None if wrapped is None else make_pruner(wrapped)
    made: BasePruner = getattr(pruners, options.optuna)(**arguments)
    return made
