"""Partial fixing: some parameters keep one value, and only the others are searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hpo_core import (
    Categorical,
    Constant,
    Fault,
    Float,
    InvalidInput,
    Parameter,
    ParameterSet,
    SearchSpace,
    Value,
    nearest,
)


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
        given = {name: _own(axis, fixed[name]) for name in axis.names if name in fixed}
        if wrong := list(_wrong(axis, given)):
            faults += wrong
        elif isinstance(axis, ParameterSet):
            natives[axis.name] = axis.index_of(given)
        elif not isinstance(axis, Constant):
            value = given[axis.name]
            natives[axis.name] = axis.index(value) if isinstance(axis, Categorical) else value
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
    if faults:
        raise InvalidInput(faults)
    others = {name: tuple(_others(space.by_name[name], kept)) for name, kept in fixed.items()}
    clauses = tuple({name: values} for name, values in others.items() if values)
    return SearchSpace(space.parameters, (*space.forbidden, *clauses)) if clauses else space


def _others(axis: Parameter, kept: Value) -> Iterator[Value]:
    """Yield all values of a finite axis but one."""
    own = _own(axis, kept)
    for value in map(axis.at, range(axis.size or 0)):
        if type(value) is not type(own) or value != own:
            yield value


def _own(axis: Parameter, value: Value) -> Value:
    """Return a whole number for a Float as the float that it is."""
    return float(value) if isinstance(axis, Float) and type(value) is int else value


def _wrong(axis: Parameter, given: Mapping[str, Value]) -> Iterator[Fault]:
    if isinstance(axis, ParameterSet):
        missing = [name for name in axis.names if name not in given]
        if missing:
            for name in given:
                yield Fault(f"fixed.{name}", f"fix {', '.join(missing)} as well: they are one set")
        elif axis.index_of(given) is None:
            yield Fault(f"fixed.{axis.names[0]}", f"{dict(given)} is none of its combinations")
    elif wrong := axis.wrong(given[axis.name]):
        yield Fault(f"fixed.{axis.name}", wrong)
