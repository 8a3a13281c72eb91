"""A search space as points of the unit cube, for optimizers that support only numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpo_core.model.parameters import Parameter
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
    """

    def __init__(self, space: SearchSpace, least: int = 0) -> None:
        self.axes: tuple[Parameter, ...] = tuple(a for a in space.ordered if a.size != 1)
        self.size = max(len(self.axes), least)
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
