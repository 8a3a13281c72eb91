"""The entry point ``process``: registers the strategy, and imports it only when it is built."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_core.plugin import Capability, Problem, Strategy, StrategySpec, hookimpl
from hpo_process.options import ProcessOptions

UNSPOKEN = frozenset({Capability.RANGES, Capability.LINEAR})
"""What a space may have that the protocol has no words for."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the spec of ``process``. The process sends its capabilities in its ``hello``."""
    return [
        StrategySpec(
            name="process",
            summary="A strategy in any language: a command that speaks JSON lines",
            build=_build,
            options=ProcessOptions,
            capabilities=frozenset(Capability) - UNSPOKEN,
            stored_defaults={"directory": "."},
        )
    ]


def _build(problem: Problem, options: ProcessOptions) -> Strategy:
    from hpo_process.strategy import ProcessStrategy

    return ProcessStrategy(problem, options)
