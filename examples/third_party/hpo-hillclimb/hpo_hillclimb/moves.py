"""Moves: a random configuration, or one that is a step away from another."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from hpo_core.plugin import Configuration, Float, Int, Parameter, SearchSpace, Value


def anywhere(space: SearchSpace, stream: Random) -> Configuration:
    """Draw every active parameter, each on its own scale."""
    return space.draw(stream.random)


def a_step_away(
    space: SearchSpace, here: Configuration, size: float, stream: Random
) -> Configuration:
    """Move one parameter, and draw those that become active."""
    known = {axis.name for axis in space.parameters if here.keys() >= set(axis.names)}
    movable = [axis for axis in space.parameters if axis.name in known and axis.size != 1]
    moved = movable[int(stream.random() * len(movable))] if movable else None

    def choose(axis: Parameter) -> Mapping[str, Value]:
        if axis.name not in known:
            return axis.values_from(stream.random())
        if axis is moved:
            return _moved(axis, here, size, stream)
        return {name: here[name] for name in axis.names}

    return space.build(choose)


def _moved(
    axis: Parameter, here: Configuration, size: float, stream: Random
) -> Mapping[str, Value]:
    """Return another value: a nearby one for a number, any other one for a choice."""
    if isinstance(axis, Float | Int):
        place = axis.unit_of(here)
        for _ in range(20):
            moved = axis.values_from(_fold(place + stream.gauss(0.0, size)))
            if moved[axis.name] != here[axis.name]:
                break
            size *= 2  # an integer of few values: a small step changes nothing
        return moved
    present = axis.index_of(here)
    assert present is not None, "the configuration is in the space"
    drawn = int(stream.random() * (axis.size - 1))
    return axis.values_at(drawn + (drawn >= present))


def _fold(place: float) -> float:
    """Reflect a coordinate below 0 or above 1."""
    place %= 2.0
    return 2.0 - place if place > 1.0 else place
