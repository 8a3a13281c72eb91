"""The specs of a package whose strategies differ only in their options."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from hpo_core.contracts.strategy import Capability, Problem, Strategy, StrategySpec


class Variant(NamedTuple):
    """One strategy of a package.

    Attributes:
        name: Its name.
        options: The type of its options, by which `build` tells it from the others.
        summary: What it is, in a line.
    """

    name: str
    options: type[msgspec.Struct]
    summary: str


def variant_specs(
    variants: Iterable[Variant],
    build: Callable[[Problem, Any], Strategy],
    capabilities: frozenset[Capability],
) -> list[StrategySpec]:
    """Return the specs of a package's strategies.

    Args:
        variants: The strategies; the first one is the default of the package.
        build: Builds any of them, by its options.
        capabilities: What all of them can.
    """
    return [
        StrategySpec(
            name=variant.name,
            summary=variant.summary,
            build=build,
            options=variant.options,
            capabilities=capabilities,
        )
        for variant in variants
    ]
