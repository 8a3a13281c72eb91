"""The entry point ``optunahub``: registers the strategy; Optuna is imported when it is built."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import AskTell, Problem, Strategy, StrategySpec, hookimpl
from hpo_optunahub.options import Options


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the spec of ``optunahub``."""
    return [
        StrategySpec(
            name="optunahub",
            summary="Any sampler of OptunaHub, from a local checkout or a fetched commit",
            build=build,
            options=Options,
            capabilities=AskTell.capabilities,
        )
    ]


def build(problem: Problem, options: Options) -> Strategy:
    """Build the strategy; Optuna and the sampler's code are imported now.

    Raises:
        InvalidInput: If the options are invalid or the code is missing.
    """
    from hpo_optunahub.strategy import OptunaHub

    return OptunaHub(problem, options)
