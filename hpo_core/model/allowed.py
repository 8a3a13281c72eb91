"""Finds an allowed configuration of a space whose starting values are forbidden together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hpo_core.model.parameters import Parameter, ParameterSet
from hpo_core.model.values import Value

if TYPE_CHECKING:
    from hpo_core.model.space import SearchSpace


def first_allowed(space: SearchSpace) -> dict[str, Value] | None:
    """Return the first configuration that is not forbidden, or None if all of them are.

    Parameters that no condition and no forbidden combination asks for keep their starting
    values. The others move on from theirs, the last one first, over values that stand for all.
    """
    return _search(space, 0, {})


def _search(space: SearchSpace, place: int, values: dict[str, Value]) -> dict[str, Value] | None:
    if space.is_forbidden(values):
        return None
    for position in range(place, len(space.ordered)):
        axis = space.ordered[position]
        if space.is_active(axis, values):
            first, *others = _representatives(space, axis)
            for chosen in (first, *others) if others else ():
                found = _search(space, position + 1, {**values, **chosen})
                if found is not None:
                    return found
            if others:
                return None
            values = {**values, **first}
    return None if space.is_forbidden(values) else values


def _representatives(space: SearchSpace, axis: Parameter) -> list[Mapping[str, Value]]:
    """Return values of an axis, the starting one first, that stand for all of its values.

    They are those that are asked for, and one more point than these: so there is one among them
    that is not asked for, if the axis has such a one.
    """
    if isinstance(axis, ParameterSet):
        return [axis.at_all(index) for index in range(axis.size)]
    asked = [
        value
        for clause in (*space.clauses, *space.conditions.values())
        for value in clause.get(axis.name, ())
    ]
    values: list[Value] = [axis.start]
    if asked:
        count = len(asked) + 1
        if axis.size is None:
            values += [axis.quantile(point / count) for point in range(count)]
        else:
            values += [axis.at(index) for index in range(min(axis.size, count))]
        values += asked
    return [{axis.name: value} for value in values]
