"""The options: Ax's own names and defaults. Importing this does not import Ax."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the methods have in common.

    Attributes:
        method: The method of `Client.configure_generation_strategy`.
    """

    method: ClassVar[str]


class Fast(Options, frozen=True):
    """Bayesian optimization.

    Attributes:
        initialization_budget: Number of initial configurations; None to derive it from the space.
        initialize_with_center: Whether the first one is the middle of the space.
        min_observed_initialization_trials: Number of their results before the model is used; None
            for a half of them.
        allow_exceeding_initialization_budget: Whether further initial configurations are suggested
            while too few results are known.
        simplify_parameter_changes: Whether changes without relevance are taken back.
    """

    method: ClassVar[str] = "fast"
    initialization_budget: int | None = None
    initialize_with_center: bool = True
    min_observed_initialization_trials: int | None = None
    allow_exceeding_initialization_budget: bool = False
    simplify_parameter_changes: bool = False


class RandomSearch(Options, frozen=True):
    """A Sobol sequence."""

    method: ClassVar[str] = "random_search"


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    names = ("initialization_budget", "min_observed_initialization_trials")
    faults = [
        Fault(name, "give 1 or more, or leave it out")
        for name in names
        if (given := getattr(options, name, None)) is not None and given < 1
    ]
    if faults:
        raise InvalidInput(faults)
