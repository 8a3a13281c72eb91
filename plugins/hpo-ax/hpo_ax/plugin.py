"""The entry point ``ax``: registers the strategies, built on Ax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_ax.options import Fast, RandomSearch
from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("ax", Fast, "Bayesian optimization of Ax: few, expensive jobs"),
    ("ax:random", RandomSearch, "A Sobol sequence of Ax"),
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
    """Build the strategy of one variant; Ax is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_ax.strategy import Ax

    return Ax(problem, options)
