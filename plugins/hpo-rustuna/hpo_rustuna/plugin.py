"""The entry point ``rustuna``: registers the strategies, built on Rustuna."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_rustuna.options import TPE, CmaEs, Random

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("rustuna:tpe", TPE, "Tree-structured Parzen estimator in Rust: many jobs"),
    ("rustuna:cmaes", CmaEs, "CMA-ES, for numbers without conditions"),
    ("rustuna:random", Random, "Rustuna's random draws"),
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
    """Build the strategy of one variant; Rustuna is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_rustuna.strategy import Rustuna

    return Rustuna(problem, options)
