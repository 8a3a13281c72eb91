"""The entry point: announces the strategy, and imports it only when a study uses it."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import Capability, Problem, Strategy, StrategySpec, hookimpl

from hpo_hillclimb.options import Options

CAPABILITIES = frozenset(
    {
        Capability.CONDITIONAL,
        Capability.FORBIDDEN,
        Capability.INTEGERS,
        Capability.CATEGORICALS,
    }
)


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Announce ``hillclimb``."""
    return [
        StrategySpec(
            name="hillclimb",
            summary="Hill climbing: one parameter moves at a time; restarts where it is stuck",
            build=build,
            options=Options,
            capabilities=CAPABILITIES,
        )
    ]


def build(problem: Problem, options: Options) -> Strategy:
    """Make the strategy for one study."""
    from hpo_hillclimb.strategy import HillClimb

    return HillClimb(problem, options)
