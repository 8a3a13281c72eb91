"""Composition of strategies: the type of an option that selects another strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class StrategyChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another strategy, selected by its config string; a field of a strategy's options.

    A string is short for a name without options. The core looks up the name, checks the options,
    fills in their defaults, and stores the plugin's identity with the study. In
    `StrategySpec.build`, call `hpo_core.plugin.build_strategy` to build the strategy.

    Attributes:
        name: The config string, such as ``"random"`` or ``"optuna:tpe"``.
        options: Options of the other strategy.
    """

    name: str
    options: Mapping[str, Any] = {}
