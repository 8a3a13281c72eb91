"""The entry point ``hyperopt``: registers the strategies, built on Hyperopt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_hyperopt.options import TPE, Anneal, Random

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("hyperopt:tpe", TPE, "Hyperopt's tree-structured Parzen estimator"),
    ("hyperopt:anneal", Anneal, "Simulated annealing around good configurations"),
    ("hyperopt:rand", Random, "Hyperopt's random draws"),
)
"""The name, options and summary of each strategy. The first one is the default."""


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
    """Build the strategy of one variant; Hyperopt is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_hyperopt.strategy import Hyperopt

    return Hyperopt(problem, options)
