"""The options: scikit-optimize's own names and defaults. Importing this does not import it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all variants have in common.

    Attributes:
        base_estimator: The model, as scikit-optimize calls it.
        n_initial_points: Number of random configurations at the start.
    """

    base_estimator: ClassVar[str]
    n_initial_points: int = 10


class GP(Options, frozen=True):
    """A Gaussian process.

    Attributes:
        acq_func: The acquisition function; ``gp_hedge`` picks one of the three others at random,
            by how well they did.
        acq_optimizer: How it is minimized: ``lbfgs``, ``sampling``, or ``auto``.
    """

    base_estimator: ClassVar[str] = "GP"
    acq_func: Literal["gp_hedge", "EI", "LCB", "PI"] = "gp_hedge"
    acq_optimizer: Literal["auto", "lbfgs", "sampling"] = "auto"


class ExtraTrees(Options, frozen=True):
    """Extra trees.

    Attributes:
        acq_func: The acquisition function.
    """

    base_estimator: ClassVar[str] = "ET"
    acq_func: Literal["gp_hedge", "EI", "LCB", "PI"] = "gp_hedge"


class RandomForest(ExtraTrees, frozen=True):
    """A random forest."""

    base_estimator: ClassVar[str] = "RF"


def check(options: Any) -> None:
    """Check the ranges of the options.

    Raises:
        InvalidInput: With every fault.
    """
    if options.n_initial_points < 1:
        raise InvalidInput([Fault("n_initial_points", "give 1 or more")])
