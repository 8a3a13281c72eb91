"""The entry point ``nevergrad``: registers the strategies, built on Nevergrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_nevergrad.options import (
    PSO,
    TBPSA,
    NGOpt,
    OnePlusOne,
    Registry,
    ScrHammersleySearch,
    TwoPointsDE,
)

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("nevergrad:ngopt", NGOpt, "Nevergrad's choice for the space and the budget"),
    ("nevergrad:de", TwoPointsDE, "Differential evolution with two-points crossover"),
    ("nevergrad:pso", PSO, "Particle swarm optimization"),
    ("nevergrad:oneplusone", OnePlusOne, "The (1+1) evolution strategy: few jobs, one at a time"),
    ("nevergrad:tbpsa", TBPSA, "Population control, for objectives with noise"),
    ("nevergrad:scrhammersley", ScrHammersleySearch, "A scrambled Hammersley sequence"),
    ("nevergrad:registry", Registry, "Any of Nevergrad's optimizers, by its name there"),
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
    """Build the strategy of one variant; Nevergrad is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_nevergrad.strategy import Nevergrad

    return Nevergrad(problem, options)
