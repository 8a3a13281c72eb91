"""The entry point ``bohb``: announces the strategies; hpbandster is imported when one is built."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_bohb.options import ABILITIES, BOHB, Bandit, HyperBand, RandomSearch
from hpo_core import Capability, Problem, Strategy, StrategySpec, hookimpl

_RESUMING = ABILITIES | {Capability.RESUMING}

VARIANTS: tuple[tuple[str, type[Bandit], str, frozenset[Capability]], ...] = (
    ("bohb", BOHB, "Hyperband whose configurations come from a model (KDE)", _RESUMING),
    ("bohb:hyperband", HyperBand, "Hyperband: many short runs, the best go on", _RESUMING),
    ("bohb:random", RandomSearch, "hpbandster's random search, at full length", ABILITIES),
)
"""Each variant's name, options, summary and capabilities; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Announce ``bohb``, ``bohb:hyperband`` and ``bohb:random``."""
    return [
        StrategySpec(
            name=name, summary=summary, build=build, options=options, capabilities=capabilities
        )
        for name, options, summary, capabilities in VARIANTS
    ]


def build(problem: Problem, options: Bandit) -> Strategy:
    """Build the strategy of one variant; hpbandster is imported now.

    Raises:
        InvalidInput: If the options, the space or the job's iterations are none for hpbandster.
        Unsupported: If there are several objectives.
    """
    from hpo_bohb.strategy import HpBandSter

    return HpBandSter(problem, options)
