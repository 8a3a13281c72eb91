"""How a strategy names another one that it is composed with: an option of the type below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class StrategyChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another strategy, picked by its config string: a field of a strategy's options.

    Where options are read, a text stands for the name alone. The core looks the name up, checks
    the options, fills in their defaults, and keeps the plugin's identity with the study. In
    `StrategySpec.build`, `hpo_core.plugin.build_strategy` makes the strategy.

    Attributes:
        name: Such as ``"random"`` or ``"optuna:tpe"``.
        options: The other strategy's own options.
    """

    name: str
    options: Mapping[str, Any] = {}
