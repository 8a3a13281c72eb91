"""A finite search space as a numbered sequence of its configurations.

`Lattice(space)[i]` is configuration number i, and `Lattice(space).index(c)` its number, without
a list of them anywhere: 10^12 configurations cost as much as ten. Conditions and forbidden
combinations are counted exactly, so that no number stands for nothing.

How: parameters that have nothing to do with each other multiply (`_Product`); where one decides
over others, by a condition or a forbidden combination, its values are grouped into classes that
decide alike, and each class has a lattice of what is left (`_Choice`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.parameters import Float, Parameter, ParameterSet
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration, Value, is_one_of


class Lattice:
    """The configurations of a finite space, numbered from 0.

    The last parameter changes fastest, as long as no condition comes between.

    Args:
        space: The space.
        points: How many points to take of each Float without a step: one number for all, or
            one for each name. They are evenly spaced on its scale, both ends included.

    Raises:
        InvalidInput: If a Float has neither a step nor points.
    """

    def __init__(self, space: SearchSpace, points: int | Mapping[str, int] | None = None) -> None:
        self._space = space
        self._axes = {axis.name: _axis(axis, points) for axis in space.ordered}
        continuous = [name for name, axis in self._axes.items() if axis is None]
        if continuous:
            raise InvalidInput(
                Fault(f"parameters.{name}", "has no step; give it a step, or a number of points")
                for name in continuous
            )
        self._root = self._build(space.ordered, {}, range(len(space.clauses)))
        self.size: int = self._root.size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Configuration:
        if not 0 <= index < self.size:
            raise IndexError(f"{index} is not between 0 and {self.size - 1}")
        values: dict[str, Value] = {}
        self._root.fill(index, values)
        return Configuration({name: values[name] for name in self._space.names if name in values})

    def index(self, configuration: Mapping[str, Value]) -> int | None:
        """Return a configuration's number, or None if it is not one of the lattice's."""
        index = self._root.index(configuration)
        return index if index is not None and self[index] == configuration else None

    # -- building the tree ------------------------------------------------------------------

    def _build(
        self, axes: Sequence[Parameter], known: Mapping[str, _Known], clauses: Iterable[int]
    ) -> _Node:
        axes, known = self._without_inactive(axes, known)
        undecided: list[int] = []
        for clause in clauses:
            match self._verdict(clause, known):
                case True:
                    return _Product(())
                case None:
                    undecided.append(clause)
        parts = [self._part(part, known, undecided) for part in self._apart(axes, undecided)]
        return parts[0] if len(parts) == 1 else _Product(tuple(parts))

    def _without_inactive(
        self, axes: Sequence[Parameter], known: Mapping[str, _Known]
    ) -> tuple[list[Parameter], dict[str, _Known]]:
        kept, known = [], dict(known)
        for axis in axes:
            parents = self._space.conditions[axis.name].items()
            if any(p in known and not known[p].is_among(wanted) for p, wanted in parents):
                known.update(dict.fromkeys(axis.names, _INACTIVE))
            else:
                kept.append(axis)
        return kept, known

    def _verdict(self, clause: int, known: Mapping[str, _Known]) -> bool | None:
        """Say whether a forbidden combination is met, or None while that is open."""
        wanted = self._space.clauses[clause]
        met = [known[name].is_among(values) for name, values in wanted.items() if name in known]
        if not all(met):
            return False
        return True if len(met) == len(wanted) else None

    def _apart(self, axes: Sequence[Parameter], clauses: Sequence[int]) -> list[list[Parameter]]:
        """Split the axes into groups that have nothing to do with each other."""
        owner = {name: axis.name for axis in axes for name in axis.names}
        links = [
            [axis.name, *(owner[p] for p in self._space.conditions[axis.name] if p in owner)]
            for axis in axes
        ]
        links += [
            [owner[name] for name in self._space.clauses[clause] if name in owner]
            for clause in clauses
        ]
        group = {axis.name: {axis.name} for axis in axes}
        for link in links:
            union = set().union(*(group[name] for name in link))
            group.update(dict.fromkeys(union, union))
        seen: dict[int, list[Parameter]] = {}
        for axis in axes:
            seen.setdefault(id(group[axis.name]), []).append(axis)
        return list(seen.values())

    def _part(
        self, axes: Sequence[Parameter], known: Mapping[str, _Known], clauses: Sequence[int]
    ) -> _Node:
        first, *rest = axes
        axis = self._axes[first.name]
        assert axis is not None
        mentions = self._mentions(first, rest, clauses)
        if not mentions:
            return axis if not rest else _Product((axis, self._build(rest, known, clauses)))
        branches = []
        for members, values in _classes(first, axis, mentions):
            below = self._build(rest, {**known, **values}, clauses)
            if below.size:
                branches.append(_Branch(members, below))
        return _Choice(axis, tuple(branches))

    def _mentions(
        self, first: Parameter, rest: Sequence[Parameter], clauses: Sequence[int]
    ) -> list[tuple[str, tuple[Value, ...]]]:
        """Return what conditions and forbidden combinations say of the first axis's names."""
        spoken = [self._space.conditions[axis.name] for axis in rest]
        spoken += [self._space.clauses[clause] for clause in clauses]
        return [(name, said[name]) for said in spoken for name in first.names if name in said]


# -- the tree -------------------------------------------------------------------------------


class _Node(Protocol):
    @property
    def size(self) -> int: ...
    def fill(self, index: int, values: dict[str, Value]) -> None: ...
    def index(self, values: Mapping[str, Value]) -> int | None: ...


class _Leaf(msgspec.Struct, frozen=True):
    """One axis with the points that it takes part with."""

    axis: Parameter
    points: int | None  # of a Float without a step
    size: int

    def fill(self, index: int, values: dict[str, Value]) -> None:
        if isinstance(self.axis, ParameterSet):
            values.update(self.axis.at_all(index))
        elif isinstance(self.axis, Float) and self.points is not None:
            values[self.axis.name] = spaced(self.axis, self.points, index)
        else:
            values[self.axis.name] = self.axis.at(index)

    def index(self, values: Mapping[str, Value]) -> int | None:
        axis = self.axis
        if any(name not in values for name in axis.names):
            return None
        if isinstance(axis, ParameterSet):
            return axis.index_of(values)
        value = values[axis.name]
        if axis.wrong(value):
            return None
        if isinstance(axis, Float) and self.points is not None:
            return _nearest_point(axis, self.points, value)
        return axis.index(value)


class _Product(msgspec.Struct, frozen=True, dict=True):
    """Independent parts; the last one changes fastest. Without parts it stands for nothing."""

    parts: tuple[_Leaf | _Product | _Choice, ...]

    @property
    def size(self) -> int:
        return math.prod(part.size for part in self.parts) if self.parts else 0

    def fill(self, index: int, values: dict[str, Value]) -> None:
        for part in reversed(self.parts):
            index, place = divmod(index, part.size)
            part.fill(place, values)

    def index(self, values: Mapping[str, Value]) -> int | None:
        index = 0
        for part in self.parts:
            place = part.index(values)
            if place is None:
                return None
            index = index * part.size + place
        return index


class _Members(msgspec.Struct, frozen=True):
    """Some points of an axis: those listed, or all but those listed."""

    listed: tuple[int, ...]  # ascending
    others_of: int | None  # None: the listed ones; else all of that many but the listed ones

    @property
    def size(self) -> int:
        return len(self.listed) if self.others_of is None else self.others_of - len(self.listed)

    def at(self, place: int) -> int:
        if self.others_of is None:
            return self.listed[place]
        for gap in self.listed:
            if gap > place:
                break
            place += 1
        return place

    def place(self, point: int) -> int | None:
        if self.others_of is None:
            return self.listed.index(point) if point in self.listed else None
        return None if point in self.listed else point - sum(gap < point for gap in self.listed)


class _Branch(msgspec.Struct, frozen=True):
    members: _Members
    below: _Leaf | _Product | _Choice


class _Choice(msgspec.Struct, frozen=True):
    """An axis whose value decides what is left: a branch for each class of its points."""

    axis: _Leaf
    branches: tuple[_Branch, ...]

    @property
    def size(self) -> int:
        return sum(branch.members.size * branch.below.size for branch in self.branches)

    def fill(self, index: int, values: dict[str, Value]) -> None:
        for branch in self.branches:
            size = branch.members.size * branch.below.size
            if index < size:
                place, rest = divmod(index, branch.below.size)
                self.axis.fill(branch.members.at(place), values)
                branch.below.fill(rest, values)
                return
            index -= size

    def index(self, values: Mapping[str, Value]) -> int | None:
        point = self.axis.index(values)
        if point is None:
            return None
        before = 0
        for branch in self.branches:
            place = branch.members.place(point)
            if place is not None:
                rest = branch.below.index(values)
                return None if rest is None else before + place * branch.below.size + rest
            before += branch.members.size * branch.below.size
        return None


class _Known(msgspec.Struct, frozen=True):
    """What is known of a name: its value, that it is none of those mentioned, or inactive."""

    value: Value = None
    has_value: bool = False

    def is_among(self, values: tuple[Value, ...]) -> bool:
        return self.has_value and is_one_of(self.value, values)


_INACTIVE = _UNMENTIONED = _Known()


def _classes(
    first: Parameter, axis: _Leaf, mentions: Sequence[tuple[str, tuple[Value, ...]]]
) -> list[tuple[_Members, dict[str, _Known]]]:
    """Group an axis's points by what the mentions say of them: classes that decide alike."""
    if isinstance(first, ParameterSet):
        points = list(range(axis.size))
    else:
        distinct = {value for _, values in mentions for value in _indices(axis, values)}
        points = sorted(distinct)
    alike: dict[tuple[bool, ...], list[int]] = {}
    for point in points:
        values: dict[str, Value] = {}
        axis.fill(point, values)
        said = tuple(is_one_of(values[name], wanted) for name, wanted in mentions)
        alike.setdefault(said, []).append(point)
    classes = []
    for members in alike.values():
        values = {}
        axis.fill(members[0], values)
        known = {name: _Known(value, True) for name, value in values.items()}
        classes.append((_Members(tuple(members), None), known))
    rest = _Members(tuple(points), axis.size)
    if rest.size:
        classes.append((rest, dict.fromkeys(first.names, _UNMENTIONED)))
    return classes


def _indices(axis: _Leaf, values: tuple[Value, ...]) -> Iterable[int]:
    for value in values:
        point = axis.index({axis.axis.name: value})
        found: dict[str, Value] = {}
        if point is not None:
            axis.fill(point, found)
            if found[axis.axis.name] == value:
                yield point


# -- the points of a Float without a step ---------------------------------------------------


def _axis(axis: Parameter, points: int | Mapping[str, int] | None) -> _Leaf | None:
    if axis.size is not None:
        return _Leaf(axis, None, axis.size)
    wanted = points.get(axis.name) if isinstance(points, Mapping) else points
    return None if wanted is None else _Leaf(axis, wanted, wanted)


def spaced(axis: Float, points: int, index: int) -> float:
    """Return point `index` of `points` evenly spaced ones on a Float's scale, ends included."""
    if points == 1:
        return axis.start
    if index in (0, points - 1):
        return axis.low if index == 0 else axis.high
    share = index / (points - 1)
    if axis.log:
        return axis.low ** (1 - share) * axis.high**share
    low, high = Decimal(repr(axis.low)), Decimal(repr(axis.high))
    return float(low + (high - low) * index / (points - 1))


def _nearest_point(axis: Float, points: int, value: Value) -> int | None:
    assert isinstance(value, float)
    if points == 1:
        return 0
    if axis.log:
        share = (math.log(value) - math.log(axis.low)) / (math.log(axis.high) - math.log(axis.low))
    else:
        share = (value - axis.low) / (axis.high - axis.low)
    return round(share * (points - 1))
