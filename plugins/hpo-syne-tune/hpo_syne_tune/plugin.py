"""The entry point ``syne-tune``: registers the strategies, built on Syne Tune."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpo_core.plugin import (
    AskTell,
    Problem,
    Strategy,
    StrategySpec,
    Variant,
    hookimpl,
    variant_specs,
)
from hpo_syne_tune.options import BORE, KDE, REA

VARIANTS = (
    Variant("syne-tune:bore", BORE, "Bayesian optimization by a classifier (BORE)"),
    Variant("syne-tune:kde", KDE, "Kernel densities of good and bad results, the model of BOHB"),
    Variant("syne-tune:rea", REA, "Regularized evolution: choices, many jobs"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; Syne Tune is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_syne_tune.strategy import SyneTune

    return SyneTune(problem, options)
