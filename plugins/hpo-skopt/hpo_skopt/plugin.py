"""The entry point ``skopt``: registers the strategies, built on scikit-optimize."""

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
from hpo_skopt.options import GP, ExtraTrees, RandomForest

VARIANTS = (
    Variant("skopt:gp", GP, "A Gaussian process: few, expensive jobs"),
    Variant("skopt:et", ExtraTrees, "Extra trees: many choices, few jobs"),
    Variant("skopt:rf", RandomForest, "A random forest"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; scikit-optimize is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_skopt.strategy import Skopt

    return Skopt(problem, options)
