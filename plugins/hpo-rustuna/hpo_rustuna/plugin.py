"""The entry point ``rustuna``: registers the strategies, built on Rustuna."""

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
from hpo_rustuna.options import TPE, CmaEs, Random

VARIANTS = (
    Variant("rustuna:tpe", TPE, "Tree-structured Parzen estimator in Rust: many jobs"),
    Variant("rustuna:cmaes", CmaEs, "CMA-ES, for numbers without conditions"),
    Variant("rustuna:random", Random, "Rustuna's random draws"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; Rustuna is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_rustuna.strategy import Rustuna

    return Rustuna(problem, options)
