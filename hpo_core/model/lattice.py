"""A finite search space as a numbered sequence of its configurations.

`Lattice(space)[i]` is configuration number i, and `Lattice(space).index(c)` its number. No list of
configurations is made: 10^12 configurations cost as much as ten. Conditions and forbidden
combinations are counted exactly, so every number has a configuration.

Independent parameters form a product (`Product`). Where a parameter affects others, by a condition
or a forbidden combination, its values are grouped into classes with the same effect, and each class
has a lattice of the remaining parameters (`Choice`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from hpo_core.model.conditions import windows
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.lattice_tree import (
    NOTHING,
    Branch,
    Choice,
    Leaf,
    Members,
    Node,
    product,
    spaced_leaf,
)
from hpo_core.model.parameters import Parameter
from hpo_core.model.space import SearchSpace
from hpo_core.model.values import Configuration, Value, identity


class Lattice:
    """The configurations of a finite space, numbered from 0. There is at least one.

    The last parameter changes fastest, except where conditions or forbidden combinations apply.
    Linear inequalities are not counted: a configuration that violates one has a number, and
    `SearchSpace.is_forbidden` tells.

    Args:
        space: The space.
        points: Number of points for each Float without a step: one number for all, or a mapping by
            name. Points are evenly spaced on the scale of the Float, both ends included. A single
            point is the default of the Float, or else its middle.

    Attributes:
        size: Number of configurations, of any magnitude.

    Raises:
        InvalidInput: If a Float has neither a step nor points, or if everything is forbidden.
    """

    def __init__(self, space: SearchSpace, points: int | Mapping[str, int] | None = None) -> None:
        self._space = space
        leaves = {}
        faults = []
        for axis in space.ordered:
            wanted = points.get(axis.name) if isinstance(points, Mapping) else points
            if axis.size is not None:
                leaves[axis.name] = Leaf(axis, axis.size)
            elif wanted is not None:
                try:
                    leaves[axis.name] = spaced_leaf(axis, wanted)
                except ValueError as error:
                    faults.append(Fault(f"parameters.{axis.name}", str(error)))
            else:
                message = "has no step; give it a step, or a number of points"
                faults.append(Fault(f"parameters.{axis.name}", message))
        if faults:
            raise InvalidInput(faults)
        self._root = _Builder(space, leaves).root()
        self.size: int = self._root.size
        if not self.size:
            raise InvalidInput([Fault("forbidden", "no configuration is left; allow at least one")])

    def __getitem__(self, index: int) -> Configuration:
        if not 0 <= index < self.size:
            raise IndexError(f"{index} is not between 0 and {self.size - 1}")
        values: dict[str, Value] = {}
        self._root.fill(index, values)
        return Configuration({name: values[name] for name in self._space.names if name in values})

    def index(self, configuration: Mapping[str, Value]) -> int | None:
        """Return the number of a configuration, or None if the lattice does not contain it."""
        values = dict(configuration)
        index = self._root.take(values)
        return None if values else index  # a remaining value belongs to no active axis


class _Known(msgspec.Struct, frozen=True):
    """What is known about a name: its value (or one of the same effect), or that it is inactive."""

    value: Value = None
    has_value: bool = False

    def is_among(self, wanted: _Wanted) -> bool:
        return self.has_value and identity(self.value) in wanted


_INACTIVE = _Known()

_Facts: TypeAlias = Mapping[str, _Known]
_Wanted: TypeAlias = frozenset[tuple[type, Any]]


class _Builder:
    """Builds the tree of a lattice: fixes one axis after the other, parents first.

    Equal subtrees are shared: a chain of forbidden combinations takes as many nodes as it has
    links, not as many as there are combinations of values.
    """

    def __init__(self, space: SearchSpace, leaves: Mapping[str, Leaf]) -> None:
        self._axes = space.ordered
        self._leaves = leaves
        self._conditions = space.wanted
        self._clauses = space.unwanted
        self._built: dict[tuple[tuple[str, ...], tuple[int, ...]], Node] = {}

    def root(self) -> Node:
        """Return the node of the whole space."""
        return self._node(self._axes, range(len(self._clauses)), {})

    def _node(self, axes: Sequence[Parameter], clauses: Sequence[int], known: _Facts) -> Node:
        """Return the node of the remaining axes, given what is known about the fixed ones."""
        axes, known = self._without_inactive(axes, known)
        verdicts = {clause: self._verdict(clause, known) for clause in clauses}
        if True in verdicts.values():
            return NOTHING
        open_ones = [clause for clause, verdict in verdicts.items() if verdict is None]
        return product([self._part(*part, known) for part in self._apart(axes, open_ones)])

    def _without_inactive(
        self, axes: Sequence[Parameter], known: _Facts
    ) -> tuple[list[Parameter], _Facts]:
        kept, known = [], dict(known)
        for axis in axes:
            parents = self._conditions[axis.name].items()
            if any(p in known and not known[p].is_among(wanted) for p, wanted in parents):
                known.update(dict.fromkeys(axis.names, _INACTIVE))
            else:
                kept.append(axis)
        return kept, known

    def _verdict(self, clause: int, known: _Facts) -> bool | None:
        """Return whether a forbidden combination is matched, or None if undecided."""
        wanted = self._clauses[clause]
        met = [known[name].is_among(values) for name, values in wanted.items() if name in known]
        if not all(met):
            return False
        return True if len(met) == len(wanted) else None

    def _apart(
        self, axes: Sequence[Parameter], clauses: Sequence[int]
    ) -> Iterator[tuple[list[Parameter], list[int]]]:
        """Split axes and forbidden combinations into independent groups."""
        owner = {name: axis.name for axis in axes for name in axis.names}
        spoken_of = {
            clause: [owner[name] for name in self._clauses[clause] if name in owner]
            for clause in clauses
        }
        links = [
            [axis.name, *(owner[p] for p in self._conditions[axis.name] if p in owner)]
            for axis in axes
        ]
        group = {axis.name: {axis.name} for axis in axes}
        for link in [*links, *spoken_of.values()]:
            union = set[str]().union(*(group[name] for name in link))
            group.update(dict.fromkeys(union, union))
        for names in {id(names): names for names in group.values()}.values():
            yield (
                [axis for axis in axes if axis.name in names],
                [clause for clause in clauses if spoken_of[clause][0] in names],
            )

    def _part(self, axes: Sequence[Parameter], clauses: Sequence[int], known: _Facts) -> Node:
        """Return the node of one group. What is known has no further effect within it."""
        key = tuple(axis.name for axis in axes), tuple(clauses)
        if key not in self._built:
            self._built[key] = self._decide(axes, clauses, known)
        return self._built[key]

    def _decide(self, axes: Sequence[Parameter], clauses: Sequence[int], known: _Facts) -> Node:
        first, *rest = axes
        leaf = self._leaves[first.name]
        mentions = self._mentions(first, rest, clauses)
        if not mentions:  # then it is the only axis: in a larger group, the first affects another
            return leaf
        branches = []
        for members, values in _classes(leaf, mentions):
            below = self._node(rest, clauses, {**known, **values})
            if below.size:
                branches.append(Branch(members, below))
        return Choice(leaf, tuple(branches), sum(branch.size for branch in branches))

    def _mentions(
        self, first: Parameter, rest: Sequence[Parameter], clauses: Sequence[int]
    ) -> list[tuple[str, _Wanted]]:
        """Return what conditions and forbidden combinations mention of the first axis's names."""
        spoken = [self._conditions[axis.name] for axis in rest]
        spoken += [self._clauses[clause] for clause in clauses]
        return [(name, said[name]) for said in spoken for name in first.names if name in said]


def _classes(leaf: Leaf, mentions: Sequence[tuple[str, _Wanted]]) -> list[tuple[Members, _Facts]]:
    """Group the points of an axis into classes with the same effect."""
    points = sorted(_mentioned(leaf, mentions))
    alike: dict[tuple[bool, ...], list[int]] = {}
    for point in points:
        values = _values(leaf, point)
        said = tuple(identity(values[name]) in wanted for name, wanted in mentions)
        alike.setdefault(said, []).append(point)
    classes: list[tuple[Members, _Facts]] = []
    for same in alike.values():
        classes.append((Members(tuple(same), False, len(same)), _facts(leaf, same[0])))
    ranges = [one for _, wanted in mentions for one in getattr(wanted, "ranges", ())]
    for first, end in windows(leaf.axis, ranges) if ranges else [(0, leaf.size)]:
        listed = tuple(point for point in points if first <= point < end)
        if others := end - first - len(listed):
            members = Members(listed, True, others, first)
            classes.append((members, _facts(leaf, members.at(0))))
    return sorted(classes, key=lambda entry: entry[0].at(0))  # close to the order of the axis


def _facts(leaf: Leaf, point: int) -> _Facts:
    return {name: _Known(value, True) for name, value in _values(leaf, point).items()}


def _mentioned(leaf: Leaf, mentions: Sequence[tuple[str, _Wanted]]) -> set[int]:
    """Return the points whose values are mentioned. For several names all points, which are few."""
    if len(leaf.axis.names) > 1:
        return set(range(leaf.size))
    (name,) = leaf.axis.names
    mentioned = _Wanted().union(*(wanted for _, wanted in mentions))
    points = (leaf.take({name: value}) for _, value in mentioned)
    return {point for point in points if point is not None}


def _values(leaf: Leaf, point: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    leaf.fill(point, values)
    return values
