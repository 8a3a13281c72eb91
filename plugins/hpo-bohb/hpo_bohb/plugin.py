"""The entry point ``bohb``: registers the strategies; hpbandster is imported when one is built."""

from __future__ import annotations

from collections.abc import Iterable

from hpo_bohb.options import (
    Bandit,
    BOHBOptions,
    HyperBandOptions,
    RandomOptions,
    abilities,
    jobs_to_complete,
)
from hpo_core.plugin import Problem, Strategy, StrategySpec, hookimpl

VARIANTS: tuple[tuple[str, type[Bandit], str], ...] = (
    ("bohb", BOHBOptions, "Hyperband whose configurations come from a model (BOHB)"),
    ("bohb:hyperband", HyperBandOptions, "Hyperband: many short runs, of which the best go on"),
    ("bohb:random", RandomOptions, "hpbandster's random search, each run at full length"),
)
"""Each variant's name, options and summary; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of ``bohb``, ``bohb:hyperband`` and ``bohb:random``."""
    return [
        StrategySpec(
            name=name,
            summary=summary,
            build=build,
            options=options,
            capabilities=abilities(options()),
            jobs_to_complete=jobs_to_complete,
        )
        for name, options, summary in VARIANTS
    ]


def build(problem: Problem, options: Bandit) -> Strategy:
    """Build the strategy of one variant; hpbandster is imported now.

    Raises:
        InvalidInput: If hpbandster does not support the options, the space or the job's iterations.
        Unsupported: If there are several objectives.
    """
    from hpo_bohb.strategy import HpBandSter

    return HpBandSter(problem, options)
