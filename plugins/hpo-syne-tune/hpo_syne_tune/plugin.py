"""The entry point ``syne-tune``: registers the strategies, built on Syne Tune."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_syne_tune.options import BORE, KDE, REA

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("syne-tune:bore", BORE, "Bayesian optimization by a classifier (BORE)"),
    ("syne-tune:kde", KDE, "Kernel densities of good and bad results, the model of BOHB"),
    ("syne-tune:rea", REA, "Regularized evolution: choices, many jobs"),
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
    """Build the strategy of one variant; Syne Tune is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_syne_tune.strategy import SyneTune

    return SyneTune(problem, options)
