"""A search space as points of the unit cube, for optimizers that support only numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpo_core.model.parameters import Categorical, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration, Value

MIDDLE = 0.5


class UnitCube:
    """The unit cube of a search space: one coordinate from 0 to 1 for each parameter.

    The coordinate of a parameter is on the scale of the parameter (see `values_from`). A
    `ParameterSet` has one coordinate; a parameter with a single value has none. The coordinate of
    an inactive parameter has no effect.

    Args:
        space: The search space.
        least: Minimum number of coordinates, for optimizers that need it: coordinates without
            effect are added.

    Attributes:
        axes: The parameters that have a coordinate, in order: parents before children.
        size: The number of coordinates.
        choices: For each coordinate the number of its choices, which have no order, or None for a
            number. An optimizer that distinguishes them uses `numbered` and `point_of`.
    """

    def __init__(self, space: SearchSpace, least: int = 0) -> None:
        self.axes: tuple[Parameter, ...] = tuple(a for a in space.ordered if a.size != 1)
        self.size = max(len(self.axes), least)
        unordered = [
            a.size if isinstance(a, Categorical | ParameterSet) else None for a in self.axes
        ]
        self.choices: tuple[int | None, ...] = (
            *unordered,
            *[None] * (self.size - len(unordered)),
        )
        self._space = space
        self._places = {axis.name: place for place, axis in enumerate(self.axes)}

    def configuration(self, point: Sequence[float]) -> Configuration:
        """Return the configuration at a point. It may be forbidden.

        A coordinate below 0 or above 1 counts as 0 or 1.

        Raises:
            ValueError: If the point does not have `size` coordinates, or if one is not a number.
        """
        if len(point) != self.size:
            raise ValueError(f"a point has {self.size} coordinates, got {len(point)}")
        if any(map(math.isnan, point)):
            raise ValueError(f"a coordinate is a number from 0 to 1, got {list(point)}")

        def choose(axis: Parameter) -> Mapping[str, Value]:
            if axis.name not in self._places:
                return axis.values_at(0)
            return axis.values_from(min(max(float(point[self._places[axis.name]]), 0.0), 1.0))

        return self._space.build(choose)

    def point(self, configuration: Mapping[str, Value]) -> list[float]:
        """Return a point of a configuration; coordinates of inactive parameters are 0.5.

        Raises:
            ValueError: If a value is invalid for its parameter.
        """
        point = [
            axis.unit_of(configuration) if configuration.keys() >= set(axis.names) else MIDDLE
            for axis in self.axes
        ]
        return point + [MIDDLE] * (self.size - len(point))

    def numbered(self, point: Sequence[float]) -> list[float | int]:
        """Return a point with the number of the choice, from 0, in place of its coordinate."""
        return [
            u if n is None else min(max(int(u * n), 0), n - 1)
            for u, n in zip(point, self.choices, strict=True)
        ]

    def point_of(self, numbered: Sequence[float | int]) -> list[float]:
        """Return the point of numbered choices and coordinates; the inverse of `numbered`."""
        return [
            float(value) if n is None else (value + 0.5) / n
            for value, n in zip(numbered, self.choices, strict=True)
        ]
