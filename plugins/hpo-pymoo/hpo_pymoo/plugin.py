"""The entry point ``pymoo``: registers the strategies, built on pymoo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_pymoo.options import DE, ES, G3PCX, GA, PSO, MixedVariableGA

VARIANTS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("pymoo:ga", GA, "A genetic algorithm"),
    ("pymoo:de", DE, "Differential evolution"),
    ("pymoo:pso", PSO, "Particle swarm optimization"),
    ("pymoo:es", ES, "An evolution strategy"),
    ("pymoo:g3pcx", G3PCX, "G3-PCX, for smooth objectives of numbers"),
    ("pymoo:mixed", MixedVariableGA, "A genetic algorithm that knows choices without order"),
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
    """Build the strategy of one variant; pymoo is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_pymoo.strategy import build_strategy

    return build_strategy(problem, options)
