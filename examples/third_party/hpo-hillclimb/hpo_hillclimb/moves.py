"""Where to go: a configuration from anywhere, or one that is a step away from another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from hpo_core import (
    Categorical,
    Configuration,
    Constant,
    Float,
    Int,
    Parameter,
    ParameterSet,
    SearchSpace,
    Value,
)


def anywhere(space: SearchSpace, stream: Random) -> Configuration:
    """Draw every active parameter, each on its own scale."""
    return space.build(lambda axis: _drawn(axis, stream))


def a_step_away(
    space: SearchSpace, here: Configuration, size: float, stream: Random
) -> Configuration:
    """Move one parameter; what becomes active by that is drawn."""
    known = {axis.name for axis in space.parameters if here.keys() >= set(axis.names)}
    movable = [axis for axis in space.parameters if axis.name in known and axis.size != 1]
    moved = movable[int(stream.random() * len(movable))] if movable else None

    def choose(axis: Parameter) -> Value | Mapping[str, Value]:
        if axis.name not in known:
            return _drawn(axis, stream)
        if axis is moved:
            return _moved(axis, here, size, stream)
        if isinstance(axis, ParameterSet):
            return {name: here[name] for name in axis.names}
        return here[axis.name]

    return space.build(choose)


def _drawn(axis: Parameter, stream: Random) -> Value | Mapping[str, Value]:
    if isinstance(axis, ParameterSet):
        return axis.at_all(int(stream.random() * axis.size))
    return axis.quantile(stream.random())


def _moved(
    axis: Parameter, here: Configuration, size: float, stream: Random
) -> Value | Mapping[str, Value]:
    """Return another value: near the present one for a number, any other one for a choice."""
    if isinstance(axis, ParameterSet):
        present = axis.index_of(here)
        assert present is not None, "it was one of the space's"
        return axis.at_all(_another(present, axis.size, stream))
    if isinstance(axis, Categorical | Constant):
        return axis.at(_another(axis.index(here[axis.name]), axis.size, stream))
    place = _place(axis, here[axis.name])
    for _ in range(20):
        value = axis.quantile(_fold(place + stream.gauss(0.0, size)))
        if value != here[axis.name]:
            break
        size *= 2  # an integer of few values: a small step leads nowhere
    return value


def _another(present: int, size: int, stream: Random) -> int:
    drawn = int(stream.random() * (size - 1))
    return drawn + (drawn >= present)


def _place(axis: Float | Int, value: Value) -> float:
    """Return where a number stands between its low, 0, and its high, 1; on its own scale."""
    assert isinstance(value, float | int)
    low, here, high = map(math.log if axis.log else float, (axis.low, value, axis.high))
    return (here - low) / (high - low) if low < high else 0.5


def _fold(place: float) -> float:
    """Reflect what lies beyond 0 or 1."""
    place %= 2.0
    return 2.0 - place if place > 1.0 else place
