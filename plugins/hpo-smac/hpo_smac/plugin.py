"""The entry point ``smac``: registers the strategies, built on SMAC."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_smac.options import BlackBox, Forest

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("smac", Forest, "SMAC with a random forest, for choices and many jobs"),
    ("smac:gp", BlackBox, "SMAC with a Gaussian process: few parameters, few jobs"),
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
    """Build the strategy of one variant; SMAC is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_smac.strategy import SMAC

    return SMAC(problem, options)
