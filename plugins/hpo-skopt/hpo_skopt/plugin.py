"""The entry point ``skopt``: registers the strategies, built on scikit-optimize."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_skopt.options import GP, ExtraTrees, RandomForest

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("skopt:gp", GP, "A Gaussian process: few, expensive jobs"),
    ("skopt:et", ExtraTrees, "Extra trees: many choices, few jobs"),
    ("skopt:rf", RandomForest, "A random forest"),
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
    """Build the strategy of one variant; scikit-optimize is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_skopt.strategy import Skopt

    return Skopt(problem, options)
