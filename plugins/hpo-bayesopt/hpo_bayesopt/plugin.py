"""The entry point ``bayesopt``: registers the strategies, built on bayesian-optimization."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpo_bayesopt.options import Options
from hpo_core.plugin import (
    AskTell,
    Problem,
    Strategy,
    StrategySpec,
    Variant,
    hookimpl,
    variant_specs,
)

VARIANTS = (Variant("bayesopt", Options, "A Gaussian process of bayesian-optimization"),)
"""The strategies."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; bayesian-optimization is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_bayesopt.strategy import BayesOpt

    return BayesOpt(problem, options)
