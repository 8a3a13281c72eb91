"""The entry point ``pymoo``: registers the strategies, built on pymoo."""

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
from hpo_pymoo.options import DE, ES, G3PCX, GA, PSO, MixedVariableGA

VARIANTS = (
    Variant("pymoo:ga", GA, "A genetic algorithm"),
    Variant("pymoo:de", DE, "Differential evolution"),
    Variant("pymoo:pso", PSO, "Particle swarm optimization"),
    Variant("pymoo:es", ES, "An evolution strategy"),
    Variant("pymoo:g3pcx", G3PCX, "G3-PCX, for smooth objectives of numbers"),
    Variant("pymoo:mixed", MixedVariableGA, "A genetic algorithm that knows choices without order"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; pymoo is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_pymoo.strategy import build_strategy

    return build_strategy(problem, options)
