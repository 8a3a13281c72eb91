"""The options: bayesian-optimization's own names and defaults. Importing this imports nothing."""

from __future__ import annotations

from typing import Literal

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of ``bayesopt``.

    Attributes:
        init_points: Number of random configurations at the start, as in `maximize`.
        acquisition_function: The acquisition function: upper confidence bound, expected
            improvement, or probability of improvement.
        kappa: Exploration of the upper confidence bound.
        xi: Exploration of the two others.
        exploration_decay: Factor on the exploration with each suggestion; None for no decay.
        exploration_decay_delay: Number of suggestions before the decay begins.
        strategy: The loss that is assumed for a configuration that is still running: that of the
            best, the mean or the worst result (``max``, ``mean``, ``min``).
    """

    init_points: int = 5
    acquisition_function: Literal["ucb", "ei", "poi"] = "ucb"
    kappa: float = 2.576
    xi: float = 0.01
    exploration_decay: float | None = None
    exploration_decay_delay: int | None = None
    strategy: Literal["min", "mean", "max"] = "max"


def check(options: Options) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    faults = [
        Fault(name, "give 0 or more")
        for name in ("init_points", "kappa", "xi")
        if getattr(options, name) < 0
    ]
    if options.exploration_decay is not None and not 0.0 < options.exploration_decay <= 1.0:
        faults.append(Fault("exploration_decay", "give a number above 0 and at most 1"))
    if options.exploration_decay_delay is not None and options.exploration_decay_delay < 0:
        faults.append(Fault("exploration_decay_delay", "give 0 or more"))
    if faults:
        raise InvalidInput(faults)
