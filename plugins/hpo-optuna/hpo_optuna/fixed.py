"""Partial fixing: some parameters keep one value, and only the others are searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hpo_core.plugin import (
    Constant,
    Fault,
    InvalidInput,
    Parameter,
    SearchSpace,
    Value,
    nearest,
    same_value,
)
from hpo_optuna.axes import native_of


def fixed_natives(space: SearchSpace, fixed: Mapping[str, Value]) -> dict[str, Any]:
    """Return the fixed parameters' values as Optuna has them.

    Args:
        space: The space.
        fixed: A value for each parameter; of a set, one for each of its members.

    Raises:
        InvalidInput: For unknown names, unfit values, and sets that are fixed in part.
    """
    known = set(space.names)
    faults = [
        Fault(f"fixed.{name}", f"there is no parameter {name!r}{nearest(name, known)}")
        for name in fixed
        if name not in known
    ]
    natives: dict[str, Any] = {}
    for axis in space.ordered:
        if not any(name in fixed for name in axis.names):
            continue
        given = {name: axis.coerce(fixed[name]) for name in axis.names if name in fixed}
        if wrong := list(_wrong(axis, given)):
            faults += wrong
        elif not isinstance(axis, Constant):
            natives[axis.name] = native_of(axis, given)
    if faults:
        raise InvalidInput(faults)
    return natives


def restricted(space: SearchSpace, fixed: Mapping[str, Value]) -> SearchSpace:
    """Return a finite space in which all is forbidden that the fixed values leave out.

    Raises:
        InvalidInput: If it has no end, or nothing is left of it.
    """
    faults = [
        Fault(f"parameters.{axis.name}.step", "brute force needs a finite space: give it a step")
        for axis in space.parameters
        if axis.size is None
    ]
    faults += [
        Fault(
            f"fixed.{name}",
            "brute force can't fix a parameter whose choices are lists or tables; leave its other "
            "choices out instead",
        )
        for name in fixed
        if space.by_name[name].has_structure
    ]
    if faults:
        raise InvalidInput(faults)
    others = {name: tuple(_others(space.by_name[name], kept)) for name, kept in fixed.items()}
    clauses: tuple[Any, ...] = tuple({name: values} for name, values in others.items() if values)
    if not clauses:
        return space
    return SearchSpace(space.parameters, (*space.forbidden, *clauses), space.linear)


def _others(axis: Parameter, kept: Value) -> Iterator[Value]:
    """Yield all values of a finite axis but one."""
    own = axis.coerce(kept)
    values = (axis.values_at(index)[axis.name] for index in range(axis.size or 0))
    yield from (value for value in values if not same_value(value, own))


def _wrong(axis: Parameter, given: Mapping[str, Value]) -> Iterator[Fault]:
    missing = [name for name in axis.names if name not in given]
    if missing:
        for name in given:
            yield Fault(f"fixed.{name}", f"fix {', '.join(missing)} as well: they are one set")
    else:
        yield from (
            Fault(f"fixed.{axis.names[0]}", fault.message) for fault in axis.wrong_in(given)
        )
