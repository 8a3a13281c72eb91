"""The search space as sent to a process: four types of parameters, and values as JSON.

JSON does not distinguish 1 from 1.0, and languages round low + k * step differently. So the points
of choices (categorical, set or constant) and of floats with a step are sent as indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from hpo_core.plugin import (
    Configuration,
    Constant,
    Float,
    Int,
    Parameter,
    ParameterSet,
    SearchSpace,
    StrategyError,
    Value,
    same_value,
)

Wire: TypeAlias = dict[str, Any]
"""A configuration in a message: a number or an index for each active parameter."""


class WireSpace:
    """Converts between a space and its representation in messages.

    Args:
        space: The space.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._owner = {name: axis for axis in space.parameters for name in axis.names}

    def parameters(self) -> list[dict[str, Any]]:
        """Describe the parameters, parents before children."""
        conditions = self._space.conditions
        return [
            {**_described(axis), "when": self._clause(conditions[axis.name])}
            for axis in self._space.ordered
        ]

    def forbidden(self) -> list[dict[str, list[Any]]]:
        """Describe the forbidden combinations, except for impossible ones."""
        clauses = map(self._clause, self._space.clauses)
        return [clause for clause in clauses if all(clause.values())]

    def encode(self, configuration: Configuration) -> Wire:
        """Return a configuration as sent in a message."""
        return {
            axis.name: _sent(axis, configuration)
            for axis in self._space.ordered
            if axis.names[0] in configuration
        }

    def decode(self, wire: Wire) -> Configuration:
        """Return a configuration from a message.

        Raises:
            StrategyError: With all faults of the configuration.
        """
        left = dict(wire)
        wrong: list[str] = []

        def choose(axis: Parameter) -> Mapping[str, Value]:
            if axis.name not in left:
                wrong.append(f"{axis.name} is active but has no value")
                return axis.start_values
            return _received(axis, left.pop(axis.name), wrong)

        configuration = self._space.build(choose)
        wrong += [f"{name} is unknown or not active with these values" for name in left]
        if wrong:
            raise StrategyError(f"the process suggested {wire}: {'; '.join(wrong)}")
        return configuration

    def _clause(self, clause: Mapping[str, tuple[Value, ...]]) -> dict[str, list[Any]]:
        """Convert names with values; the members of a set become its combinations."""
        sent: dict[str, list[Any]] = {}
        for name, values in clause.items():
            axis = self._owner[name]
            if axis.names == (name,):
                matching = [_sent(axis, {name: value}) for value in values]
            else:
                matching = [
                    index
                    for index in sent.get(axis.name, range(axis.size or 0))
                    if any(same_value(axis.values_at(index)[name], value) for value in values)
                ]
            sent[axis.name] = matching
        return sent


def _described(axis: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": axis.name}
    match axis:
        case Float(step=None):
            return described | {
                "type": "float",
                "low": axis.low,
                "high": axis.high,
                "log": axis.log,
            }
        case Float():
            ends = {"low": axis.low, "high": axis.high, "step": axis.step}
            return described | {"type": "grid", "size": axis.size, **ends}
        case Int():
            ends = {"low": axis.low, "high": axis.high, "step": axis.step or 1}
            return described | {"type": "int", **ends, "log": axis.log}
        case Constant():
            return described | {"type": "choice", "size": 1, "choices": [axis.value]}
        case ParameterSet():
            return described | {"type": "choice", "size": axis.size, "choices": axis.combinations}
        case _:
            return described | {"type": "choice", "size": axis.size, "choices": axis.choices}


def _is_number(axis: Parameter) -> bool:
    return isinstance(axis, Int) or (isinstance(axis, Float) and axis.step is None)


def _sent(axis: Parameter, values: Mapping[str, Value]) -> Any:
    return values[axis.name] if _is_number(axis) else axis.index_of(values)


def _received(axis: Parameter, value: Any, wrong: list[str]) -> Mapping[str, Value]:
    """Return the values of a parameter; faults are appended to a list."""
    if _is_number(axis):
        number = {axis.name: axis.coerce(value)}
        wrong += [fault.message for fault in axis.wrong_in(number)]
        return number
    size = axis.size
    assert size is not None
    if type(value) is not int or not 0 <= value < size:
        wrong.append(f"{axis.name} takes an index from 0 to {size - 1}, got {value!r}")
        value = 0
    return axis.values_at(value)
