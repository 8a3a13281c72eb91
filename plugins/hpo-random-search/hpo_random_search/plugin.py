"""The entry point ``random``: registers the strategy, and imports it only when it is built."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import Capability, NoOptions, Problem, Strategy, StrategySpec, hookimpl


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the spec of ``random``."""
    return [
        StrategySpec(
            name="random",
            summary="Independent random draws; in a finite space each configuration once",
            build=_build,
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


def _build(problem: Problem, options: NoOptions) -> Strategy:
    from hpo_random_search.strategy import FiniteRandomSearch, RandomSearch

    return (FiniteRandomSearch if problem.space.is_finite else RandomSearch)(problem)
