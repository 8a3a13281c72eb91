"""Find an allowed configuration of a space whose default configuration is forbidden.

Linear inequalities are left aside here; see `hpo_core.model.linear`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from hpo_core.model.conditions import Range, is_range, windows
from hpo_core.model.parameters import Parameter
from hpo_core.model.values import Value


class Space(Protocol):
    """What is asked of a search space here."""

    @property
    def ordered(self) -> Sequence[Parameter]: ...

    @property
    def clauses(self) -> Sequence[Mapping[str, Sequence[Value]]]: ...

    @property
    def conditions(self) -> Mapping[str, Mapping[str, Sequence[Value]]]: ...

    def is_active(self, axis: Parameter, values: Mapping[str, Value], /) -> bool: ...

    def is_excluded(self, values: Mapping[str, Value], /) -> bool: ...


def first_allowed(space: Space) -> dict[str, Value] | None:
    """Return the first configuration that is not forbidden, or None if all of them are.

    Parameters without a role in a condition or a forbidden combination keep their default values.
    The values of the others are varied, those of the last parameter first, until a configuration is
    allowed.
    """
    return _search(space, 0, {})


def _search(space: Space, place: int, values: dict[str, Value]) -> dict[str, Value] | None:
    if space.is_excluded(values):
        return None
    for position in range(place, len(space.ordered)):
        axis = space.ordered[position]
        if space.is_active(axis, values):
            options = _representatives(space, axis)
            if len(options) > 1:
                searches = (_search(space, position + 1, {**values, **one}) for one in options)
                return next((found for found in searches if found is not None), None)
            values = {**values, **options[0]}
    return None if space.is_excluded(values) else values


def _representatives(space: Space, axis: Parameter) -> list[dict[str, Value]]:
    """Return a sufficient set of values of an axis to try, the default first.

    A value that no condition or forbidden combination mentions is best: it matches no forbidden
    combination and activates no other parameter. One point more than there are mentioned values is
    sure to include such a value, if the axis has one. For an axis with several names, all its
    combinations are returned.
    """
    if len(axis.names) > 1:
        return [axis.values_at(index) for index in range(axis.size or 0)]
    (name,) = axis.names
    clauses = (*space.clauses, *space.conditions.values())
    asked = sum(len(clause.get(name, ())) for clause in clauses)
    values = [axis.start_values]
    if ranges := [Range(str(each)) for each in _asked(clauses, name) if is_range(each, axis)]:
        return values + _in_windows(axis, ranges, asked)
    if asked and axis.size is None:
        values += [axis.values_from(point / (asked + 1)) for point in range(asked + 1)]
    elif asked:
        values += [axis.values_at(index) for index in range(min(axis.size or 0, asked + 1))]
    return values


def _asked(clauses: Sequence[Mapping[str, Sequence[Value]]], name: str) -> list[Value]:
    return [value for clause in clauses for value in clause.get(name, ())]


def _in_windows(axis: Parameter, ranges: Sequence[Range], asked: int) -> list[dict[str, Value]]:
    """Return `asked` values of each part of the axis in which the same ranges hold."""
    if axis.size is not None:
        return [
            axis.values_at(index)
            for first, end in windows(axis, ranges)
            for index in range(first, min(end, first + asked + 1))
        ]
    (name,) = axis.names
    low, high = axis.values_from(0.0)[name], axis.values_from(1.0)[name]
    bounds = [float(bound) for one in ranges for _, bound in one.bounds]
    inner = [bound for bound in bounds if low < bound < high]  # type: ignore[operator]  # numbers
    edges = sorted({low, high, *inner})  # type: ignore[type-var]
    found = list(edges)
    for first, end in pairwise(edges):
        step = (end - first) / (asked + 2)  # type: ignore[operator]
        found += [first + step * place for place in range(1, asked + 2)]  # type: ignore[operator]
    return [{name: value} for value in found]
