"""The entry point ``smac``: registers the strategies, built on SMAC."""

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
from hpo_smac.options import BlackBox, Forest

VARIANTS = (
    Variant("smac", Forest, "SMAC with a random forest, for choices and many jobs"),
    Variant("smac:gp", BlackBox, "SMAC with a Gaussian process: few parameters, few jobs"),
)
"""The strategies; the first one is the default."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; SMAC is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_smac.strategy import SMAC

    return SMAC(problem, options)
