"""Explore: change the parameters of a configuration slightly."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping

from hpo_core.plugin import Configuration, Float, Int, Parameter, SearchSpace, Value, same_value

ATTEMPTS = 100
"""Maximum number of forbidden changes in a row, after which the configuration is unchanged."""


class Explorer:
    """Changes configurations: "perturb" and "resample", section 4.1.1 of Jaderberg et al. 2017.

    Args:
        space: The search space.
        names: The parameters to change, a set by its own name; the others are copied.
        probability: Probability that a parameter is drawn again instead of perturbed.
        factors: Factors for numbers, of which one is chosen at random.
    """

    def __init__(
        self,
        space: SearchSpace,
        names: Collection[str],
        probability: float,
        factors: tuple[float, ...],
    ) -> None:
        self._space = space
        self._names = names
        self._probability = probability
        self._factors = factors

    def change(self, configuration: Configuration, stream: random.Random) -> Configuration:
        """Return a changed configuration.

        A number is multiplied, stays in its range and on its steps, and moves by at least one step.
        A choice, or a combination of a set, is replaced by its predecessor or successor in the
        list. A parameter that becomes active is drawn. If the result is forbidden, another change
        is tried.
        """

        def choose(axis: Parameter) -> Mapping[str, Value]:
            if any(name not in configuration for name in axis.names):
                return axis.values_from(stream.random())
            if axis.name not in self._names:
                return {name: configuration[name] for name in axis.names}
            if stream.random() < self._probability:
                return axis.values_from(stream.random())
            return self._perturbed(axis, configuration, stream)

        for _ in range(ATTEMPTS):
            changed = self._space.build(choose)
            if not self._space.is_forbidden(changed):
                return changed
        return configuration

    def _perturbed(
        self, axis: Parameter, configuration: Configuration, stream: random.Random
    ) -> Mapping[str, Value]:
        factor = self._factors[int(stream.random() * len(self._factors))]
        if isinstance(axis, Float | Int):
            value = configuration[axis.name]
            assert isinstance(value, int | float)
            return {axis.name: _multiplied(axis, value, factor)}
        place = axis.index_of(configuration)
        assert place is not None, "it is of the space"
        return axis.values_at(_moved(place, factor, axis.size))


def changes(before: Configuration, after: Configuration) -> dict[str, dict[str, Value]]:
    """Return the values of each parameter that differs; inactive parameters have none."""

    def values(name: str) -> dict[str, Value]:
        sides = {"from": before, "to": after}
        return {side: values[name] for side, values in sides.items() if name in values}

    found = {name: values(name) for name in {**before, **after}}
    return {
        name: sides
        for name, sides in found.items()
        if len(sides) == 1 or not same_value(sides["from"], sides["to"])
    }


def _multiplied(axis: Float | Int, value: float, factor: float) -> Value:
    size = axis.size
    if size is None:
        return min(max(value * factor, axis.low), axis.high)
    place = axis.index(value)
    moved = round((value * factor - axis.low) / (axis.step or 1))
    if moved == place:
        return axis.at(_moved(place, factor, size))
    return axis.at(min(max(moved, 0), size - 1))


def _moved(place: int, factor: float, size: int) -> int:
    """Return the next index, up or down, within the range."""
    return min(max(place + (1 if factor > 1 else -1), 0), size - 1)
