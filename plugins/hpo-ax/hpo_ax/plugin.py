"""The entry point ``ax``: registers the strategies, built on Ax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpo_ax.options import Fast, RandomSearch
from hpo_core.plugin import (
    AskTell,
    Problem,
    Strategy,
    StrategySpec,
    Variant,
    hookimpl,
    variant_specs,
)

VARIANTS = (
    Variant("ax", Fast, "Bayesian optimization of Ax: few, expensive jobs"),
    Variant("ax:random", RandomSearch, "A Sobol sequence of Ax"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; Ax is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_ax.strategy import Ax

    return Ax(problem, options)
