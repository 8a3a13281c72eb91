"""The options: Rustuna's own names and defaults. Importing this does not import Rustuna."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all samplers have in common.

    Attributes:
        sampler: The sampler's class in Rustuna.
    """

    sampler: ClassVar[str]


class TPE(Options, frozen=True):
    """Tree-structured Parzen estimator.

    Attributes:
        n_startup_trials: Number of random trials at the start.
        multivariate: Whether parameters are sampled jointly; None for yes.
    """

    sampler: ClassVar[str] = "TPESampler"
    n_startup_trials: int = 10
    multivariate: bool | None = None


class CmaEs(Options, frozen=True):
    """CMA-ES.

    Attributes:
        popsize: Number of trials per generation; None for 4 + 3 log(parameters).
    """

    sampler: ClassVar[str] = "CmaEsSampler"
    popsize: int | None = None


class Random(Options, frozen=True):
    """Random draws."""

    sampler: ClassVar[str] = "RandomSampler"


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    faults = []
    if isinstance(options, TPE) and options.n_startup_trials < 0:
        faults.append(Fault("n_startup_trials", "give 0 or more"))
    if isinstance(options, CmaEs) and options.popsize is not None and options.popsize < 2:
        faults.append(Fault("popsize", "give 2 or more, or leave it out"))
    if faults:
        raise InvalidInput(faults)
