"""The entry point ``nevergrad``: registers the strategies, built on Nevergrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpo_core.plugin import (
    AskTell,
    Problem,
    Strategy,
    StrategySpec,
    Variant,
    hookimpl,
    variant_specs,
)
from hpo_nevergrad.options import (
    PSO,
    TBPSA,
    NGOpt,
    OnePlusOne,
    Registry,
    ScrHammersleySearch,
    TwoPointsDE,
)

VARIANTS = (
    Variant("nevergrad:ngopt", NGOpt, "Nevergrad's choice for the space and the budget"),
    Variant("nevergrad:de", TwoPointsDE, "Differential evolution with two-points crossover"),
    Variant("nevergrad:pso", PSO, "Particle swarm optimization"),
    Variant(
        "nevergrad:oneplusone", OnePlusOne, "The (1+1) evolution strategy: few jobs, one at a time"
    ),
    Variant("nevergrad:tbpsa", TBPSA, "Population control, for objectives with noise"),
    Variant("nevergrad:scrhammersley", ScrHammersleySearch, "A scrambled Hammersley sequence"),
    Variant("nevergrad:registry", Registry, "Any of Nevergrad's optimizers, by its name there"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; Nevergrad is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_nevergrad.strategy import build_strategy

    return build_strategy(problem, options)
