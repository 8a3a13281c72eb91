"""The entry point ``bayesopt``: registers the strategies, built on bayesian-optimization."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_bayesopt.options import Options
from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("bayesopt", Options, "A Gaussian process of bayesian-optimization"),
)
"""The name, options and summary of each strategy."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return [
        StrategySpec(
            name=name,
            summary=summary,
            build=build,
            options=options,
            capabilities=AskTell.capabilities,
        )
        for name, options, summary in VARIANTS
    ]


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; bayesian-optimization is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_bayesopt.strategy import BayesOpt

    return BayesOpt(problem, options)
