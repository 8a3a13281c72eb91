"""A search space as points of the unit cube, for optimizers that know numbers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpo_core.model.parameters import Parameter
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration, Value

MIDDLE = 0.5


class UnitCube:
    """The unit cube of a search space: one coordinate from 0 to 1 for each parameter.

    A parameter's coordinate is on its own scale (see `values_from`); a `ParameterSet` has one
    coordinate, one that has a single value none. A coordinate of a parameter that is not active
    has no effect.

    Args:
        space: The search space.
        least: The least number of coordinates, for optimizers that take no fewer: coordinates
            without any effect are added.

    Attributes:
        axes: The parameters that have a coordinate, in its order: parents before children.
        size: The number of coordinates.
    """

    def __init__(self, space: SearchSpace, least: int = 0) -> None:
        self.axes: tuple[Parameter, ...] = tuple(a for a in space.ordered if a.size != 1)
        self.size = max(len(self.axes), least)
        self._space = space
        self._places = {axis.name: place for place, axis in enumerate(self.axes)}

    def configuration(self, point: Sequence[float]) -> Configuration:
        """Return the configuration at a point, perhaps a forbidden one.

        A coordinate below 0 or above 1 counts as 0 or 1.

        Raises:
            ValueError: If the point has not `size` coordinates, or if one is not a number.
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
        """Return a point at which a configuration is; 0.5 for what is not active.

        Raises:
            ValueError: If a value is not one of its parameter's.
        """
        point = [
            axis.unit_of(configuration) if configuration.keys() >= set(axis.names) else MIDDLE
            for axis in self.axes
        ]
        return point + [MIDDLE] * (self.size - len(point))
