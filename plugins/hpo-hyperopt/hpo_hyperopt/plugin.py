"""The entry point ``hyperopt``: registers the strategies, built on Hyperopt."""

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
from hpo_hyperopt.options import TPE, Anneal, Random

VARIANTS = (
    Variant("hyperopt:tpe", TPE, "Hyperopt's tree-structured Parzen estimator"),
    Variant("hyperopt:anneal", Anneal, "Simulated annealing around good configurations"),
    Variant("hyperopt:rand", Random, "Hyperopt's random draws"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; Hyperopt is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_hyperopt.strategy import Hyperopt

    return Hyperopt(problem, options)
