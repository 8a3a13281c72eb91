"""The tree behind a `Lattice`: nodes that convert a number to values and back.

A `Leaf` is one axis, a `Product` combines independent parts, and a `Choice` is an axis whose value
selects the remaining part. `fill` writes the values of a number to a mapping; `take` removes them
and returns the number. Every node stores its size, so finding a number needs no counting.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hpo_core.model.parameters import Float, Parameter
from hpo_core.model.values import Value

Node: TypeAlias = "Leaf | Product | Choice"
"""Part of a lattice: ``size`` configurations of some of its axes, numbered from 0."""


class Leaf(msgspec.Struct, frozen=True):
    """One axis and its points.

    Attributes:
        axis: A finite axis, or the points of another one.
        size: How many points.
    """

    axis: Parameter | SpacedFloat
    size: int

    def fill(self, index: int, values: dict[str, Value]) -> None:
        """Set the values of point `index`."""
        values.update(self.axis.values_at(index))

    def take(self, values: dict[str, Value]) -> int | None:
        """Remove the values of the axis and return their point, or None if no point is left."""
        names = self.axis.names
        if any(name not in values for name in names):
            return None
        return self.axis.index_of({name: values.pop(name) for name in names})


class Product(msgspec.Struct, frozen=True):
    """Independent parts. The last one changes fastest. See `product`."""

    parts: tuple[Node, ...]
    size: int

    def fill(self, index: int, values: dict[str, Value]) -> None:
        """Set the values of number `index`."""
        for part in reversed(self.parts):
            index, place = divmod(index, part.size)
            part.fill(place, values)

    def take(self, values: dict[str, Value]) -> int | None:
        """Remove the values of the axes, and return their number, or None if they have none."""
        index = 0
        for part in self.parts:
            place = part.take(values)
            if place is None:
                return None
            index = index * part.size + place
        return index


NOTHING = Product((), 0)
"""The empty lattice: what remains once a forbidden combination is matched."""


def product(parts: Sequence[Node]) -> Node:
    """Combine independent parts. Without parts there is one configuration, the empty one."""
    return parts[0] if len(parts) == 1 else Product(tuple(parts), math.prod(p.size for p in parts))


class Members(msgspec.Struct, frozen=True):
    """Some points of an axis: the listed ones, or all of a run except the listed ones.

    Attributes:
        listed: Points, ascending.
        all_but: Whether the members are the points that are not listed.
        size: How many members there are.
        first: The first point of the run.
    """

    listed: tuple[int, ...]
    all_but: bool
    size: int
    first: int = 0

    def at(self, place: int) -> int:
        """Return the point of member number `place`."""
        if not self.all_but:
            return self.listed[place]
        ranks = range(len(self.listed))
        place += self.first
        return place + bisect_right(ranks, place, key=lambda rank: self.listed[rank] - rank)

    def place(self, point: int) -> int | None:
        """Return a point's number among the members, or None if it is not one of them."""
        below = bisect_left(self.listed, point)
        is_listed = below < len(self.listed) and self.listed[below] == point
        if is_listed == self.all_but:
            return None
        if not self.all_but:
            return below
        place = point - below - self.first
        return place if 0 <= place < self.size and point >= self.first else None


class Branch(msgspec.Struct, frozen=True):
    """Points of an axis with the same effect, and the remaining part."""

    members: Members
    below: Node

    @property
    def size(self) -> int:
        """Number of configurations."""
        return self.members.size * self.below.size


class Choice(msgspec.Struct, frozen=True):
    """An axis whose value selects the remaining part: one branch for each class of its points."""

    axis: Leaf
    branches: tuple[Branch, ...]
    size: int

    def fill(self, index: int, values: dict[str, Value]) -> None:
        """Set the values of number `index`."""
        for branch in self.branches:
            if index < branch.size:
                place, rest = divmod(index, branch.below.size)
                self.axis.fill(branch.members.at(place), values)
                branch.below.fill(rest, values)
                return
            index -= branch.size

    def take(self, values: dict[str, Value]) -> int | None:
        """Take the axes' values out, and return their number, or None if they have none."""
        point = self.axis.take(values)
        if point is None:
            return None
        before = 0
        for branch in self.branches:
            place = branch.members.place(point)
            if place is not None:
                rest = branch.below.take(values)
                return None if rest is None else before + place * branch.below.size + rest
            before += branch.size
        return None


# -- the points of a Float without a step ---------------------------------------------------


class SpacedFloat(msgspec.Struct, frozen=True):
    """Evenly spaced points on the scale of a Float without a step, with the interface of an axis.

    Attributes:
        axis: The Float.
        size: How many points.
        distinct: The points themselves, if the range is so narrow that some are the same float.
    """

    axis: Float
    size: int
    distinct: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The Float's name."""
        return self.axis.names

    def values_at(self, index: int) -> dict[str, Value]:
        """Return the value of point `index`, by name."""
        value = self.distinct[index] if self.distinct else _spaced(self.axis, self.size, index)
        return {self.axis.name: value}

    def index_of(self, values: Mapping[str, Value]) -> int | None:
        """Return the point of the Float's value, or None if it is not one of the points."""
        value = values[self.axis.name]
        if self.axis.wrong(value) or not isinstance(value, float):
            return None
        if self.distinct:
            return self.distinct.index(value) if value in self.distinct else None
        point = _nearest(self.axis, self.size, value)
        return point if _spaced(self.axis, self.size, point) == value else None


def spaced_leaf(axis: Float, points: int) -> Leaf:
    """Return a leaf of evenly spaced points of a Float, without duplicates.

    Raises:
        ValueError: If the range contains fewer floats than points, and there are too many of them
            to list.
    """
    if not _may_repeat(axis, points):
        return Leaf(SpacedFloat(axis, points), points)
    if points > _LISTED:
        raise ValueError(
            f"its range is too narrow for {points:,} points; give {_LISTED:,} or fewer"
        )
    distinct = sorted({_spaced(axis, points, index) for index in range(points)})
    return Leaf(SpacedFloat(axis, len(distinct), tuple(distinct)), len(distinct))


_LISTED = 1_000_000
"""Maximum number of points to list where some may be the same float."""


def _may_repeat(axis: Float, points: int) -> bool:
    """Return whether neighbouring points are so close that they may be the same float."""
    if points < 3:
        return False
    if axis.log:
        return (math.log(axis.high) - math.log(axis.low)) / (points - 1) < 1e-13
    return (axis.high - axis.low) / (points - 1) < 2 * math.ulp(max(abs(axis.low), abs(axis.high)))


def _spaced(axis: Float, points: int, index: int) -> float:
    """Return point `index` of `points` evenly spaced ones on a Float's scale, ends included."""
    if points == 1:
        return axis.start
    if index in (0, points - 1):
        return axis.low if index == 0 else axis.high
    if axis.log:
        share = index / (points - 1)
        rough = axis.low ** (1 - share) * axis.high**share
        value = float(f"{rough:.15g}")  # the decades of 1e-4 to 1e-1 are 0.001 and 0.01 exactly
    else:
        low, high = Decimal(repr(axis.low)), Decimal(repr(axis.high))
        value = float(low + (high - low) * index / (points - 1))
    return min(max(value, axis.low), axis.high)


def _nearest(axis: Float, points: int, value: float) -> int:
    if points == 1:
        return 0
    if axis.log:
        share = (math.log(value) - math.log(axis.low)) / (math.log(axis.high) - math.log(axis.low))
    else:
        share = (value - axis.low) / (axis.high - axis.low)
    return round(share * (points - 1))
