"""The options of ``hillclimb``."""

from __future__ import annotations

import math

import msgspec
from hpo_core.plugin import Fault, InvalidInput


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be chosen with ``-o KEY=VALUE``, or in a study's ``strategy`` table.

    Attributes:
        first: Random results from which each climb starts.
        step: How far a number moves, as a share of its range (a standard deviation).
        patience: Results in a row that are no better, after which another climb starts.
    """

    first: int = 5
    step: float = 0.1
    patience: int = 20


def check(options: Options) -> None:
    """Raise `InvalidInput` with every option that is out of its range."""
    faults = [
        Fault(name, f"must be above 0 and finite, got {getattr(options, name)}")
        for name in ("first", "step", "patience")
        if not 0 < getattr(options, name) < math.inf
    ]
    if faults:
        raise InvalidInput(faults)
