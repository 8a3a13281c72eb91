"""The entry point ``cma``: registers the strategies, built on pycma."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpo_cma.options import Options
from hpo_core.plugin import (
    AskTell,
    Problem,
    Strategy,
    StrategySpec,
    Variant,
    hookimpl,
    variant_specs,
)

VARIANTS = (Variant("cma", Options, "CMA-ES of pycma, for numbers and hundreds of jobs"),)
"""The strategies."""


@hookimpl
def hpo_strategies() -> Iterable[StrategySpec]:
    """Return the specs of the strategies."""
    return variant_specs(VARIANTS, build, AskTell.capabilities)


def build(problem: Problem, options: Any) -> Strategy:
    """Build the strategy of one variant; pycma is imported now.

    Raises:
        InvalidInput: If the options are invalid.
    """
    from hpo_cma.strategy import PyCMA

    return PyCMA(problem, options)
