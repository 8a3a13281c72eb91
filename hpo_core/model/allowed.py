"""Finds an allowed configuration of a space whose starting values are forbidden together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_core.model.parameters import Parameter
from hpo_core.model.values import Value

if TYPE_CHECKING:
    from hpo_core.model.space import SearchSpace


def first_allowed(space: SearchSpace) -> dict[str, Value] | None:
    """Return the first configuration that is not forbidden, or None if all of them are.

    Parameters that no condition and no forbidden combination asks for keep their starting
    values. The others move on from theirs, the last one first, over as many values as it takes.
    """
    return _search(space, 0, {})


def _search(space: SearchSpace, place: int, values: dict[str, Value]) -> dict[str, Value] | None:
    if space.is_forbidden(values):
        return None
    for position in range(place, len(space.ordered)):
        axis = space.ordered[position]
        if space.is_active(axis, values):
            options = _representatives(space, axis)
            if len(options) > 1:
                searches = (_search(space, position + 1, {**values, **one}) for one in options)
                return next((found for found in searches if found is not None), None)
            values = {**values, **options[0]}
    return None if space.is_forbidden(values) else values


def _representatives(space: SearchSpace, axis: Parameter) -> list[dict[str, Value]]:
    """Return values of an axis, the starting one first, that are enough to try.

    The best value to have is one that nothing asks for: it meets no forbidden combination and
    makes no other parameter active. So it takes one more point than there are values asked for,
    or else all of them. Of an axis with several names it takes all combinations.
    """
    if len(axis.names) > 1:
        return [axis.values_at(index) for index in range(axis.size or 0)]
    (name,) = axis.names
    clauses = (*space.clauses, *space.conditions.values())
    asked = sum(len(clause.get(name, ())) for clause in clauses)
    values = [axis.start_values]
    if asked and axis.size is None:
        values += [axis.values_from(point / (asked + 1)) for point in range(asked + 1)]
    elif asked:
        values += [axis.values_at(index) for index in range(min(axis.size or 0, asked + 1))]
    return values
