"""The entry point ``grid``: registers the strategy, and imports it only when it is built."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import Capability, Problem, Strategy, StrategySpec, hookimpl
from hpo_grid_search.options import GridOptions


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the spec of ``grid``."""
    return [
        StrategySpec(
            name="grid",
            summary="Every point of the grid once, in order",
            build=_build,
            options=GridOptions,
            capabilities=frozenset(
                {
                    Capability.CONDITIONAL,
                    Capability.FORBIDDEN,
                    Capability.INTEGERS,
                    Capability.CATEGORICALS,
                    Capability.MULTI_OBJECTIVE,
                    Capability.CONSTRAINTS,  # it does not learn from results
                    Capability.RANGES,
                    Capability.LINEAR,
                    Capability.STRUCTURED,
                }
            ),
            is_adaptive=False,
        )
    ]


def _build(problem: Problem, options: GridOptions) -> Strategy:
    from hpo_grid_search.strategy import GridSearch

    return GridSearch(problem, options)
