"""Categorical, Constant and ParameterSet: parameters whose values have no order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from hpo_core.model.axis import Axis, ScalarAxis, When
from hpo_core.model.errors import Fault, nearest
from hpo_core.model.values import (
    Value,
    as_text,
    fresh,
    has_parts,
    identity,
    meant,
    plain,
    said,
    same_value,
    unfit,
)


class Categorical(ScalarAxis, frozen=True, tag="categorical"):
    """A choice from a list of strings, numbers, booleans, None, lists or dicts, without an order.

    Attributes:
        name: The parameter's name.
        choices: The choices; ``1``, ``1.0``, ``True`` and ``"1"`` are four different choices. Lists
            and dicts are those of JSON; a tuple within them is a list.
        when: For each parent, the value or values for which this parameter is active.
        default: Default choice, used by ``hpo try``; the first one if None. To make the choice None
            the default, list it first.

    Raises:
        InvalidInput: If there are no choices, duplicates or numbers that are not finite, or if the
            default is not one of the choices.
    """

    choices: tuple[Value, ...]
    when: When = msgspec.field(default_factory=dict)
    default: Value = None

    @cached_property
    def _places(self) -> dict[tuple[type, object], int]:
        return {identity(choice): index for index, choice in enumerate(self.choices)}

    @property
    def size(self) -> int:
        return len(self.choices)

    def at(self, index: int) -> Value:
        return fresh(self.choices[index])

    @cached_property
    def has_structure(self) -> bool:
        return any(map(has_parts, self.choices))

    def spelled_out(self, field: str, value: Any) -> Any:
        if field == "choices" and isinstance(value, list | tuple):
            return [plain(choice) for choice in value]
        return plain(value) if field == "default" else value

    def index(self, value: Value) -> int:
        return self._places[identity(value)]

    def wrong(self, value: object) -> str | None:
        if identity(value) in self._places:
            return None
        given = meant(value, self.choices) or said(value)
        if isinstance(value, str) and given == said(value):
            given += nearest(value, (choice for choice in self.choices if isinstance(choice, str)))
        choices = ", ".join(map(repr, self.choices))
        return f"{self.name} is one of {choices}; got {given}"

    def parse(self, text: str) -> Value:
        return _parsed(self.name, self.choices, text)

    @property
    def start(self) -> Value:
        return fresh(self.choices[0] if self.default is None else self.default)

    def faults(self) -> list[Fault]:
        faults = Axis.faults(self)
        for index, choice in enumerate(self.choices):
            faults += [Fault(f"choices[{index}]", message) for message in unfit(choice)]
        if not self.choices:
            faults.append(Fault("choices", "give at least one choice"))
        elif len(self._places) < len(self.choices):
            faults.append(Fault("choices", "the same choice is listed twice"))
        elif self.default is not None and (wrong := self.wrong(self.default)):
            faults.append(Fault("default", wrong))
        return faults


class Constant(ScalarAxis, frozen=True, tag="constant"):
    """A parameter with a fixed value, stored and passed to jobs like the others.

    Attributes:
        name: The parameter's name.
        value: Its value.
        when: For each parent the value or values for which this parameter is active.

    Raises:
        InvalidInput: If the value is a number that is not finite.
    """

    value: Value
    when: When = msgspec.field(default_factory=dict)

    @property
    def size(self) -> int:
        return 1

    def at(self, index: int) -> Value:
        return fresh(self.value)

    @property
    def has_structure(self) -> bool:
        return has_parts(self.value)

    def spelled_out(self, field: str, value: Any) -> Any:
        return plain(value) if field == "value" else value

    def index(self, value: Value) -> int:
        return 0

    def wrong(self, value: object) -> str | None:
        if identity(value) == identity(self.value):
            return None
        given = meant(value, (self.value,)) or said(value)
        return f"{self.name} is always {self.value!r}, got {given}"

    def parse(self, text: str) -> Value:
        return _parsed(self.name, (self.value,), text)

    @property
    def start(self) -> Value:
        return fresh(self.value)

    def faults(self) -> list[Fault]:
        return [*Axis.faults(self), *(Fault("value", message) for message in unfit(self.value))]


class ParameterSet(Axis, frozen=True, tag="set"):
    """A list of combinations of values. Picking one sets all member parameters at once.

    To a strategy, a set is a single axis with one point for each combination. It uses one
    coordinate of the unit interval, divided equally among the combinations. The first combination
    is the default.

    Attributes:
        name: The name of the set; it does not appear in configurations.
        combinations: Mappings that all have the same keys: the names of the members.
        when: For each parent, the value or values for which the set is active.

    Raises:
        InvalidInput: If there are no combinations, duplicates, different members, or numbers that
            are not finite.
    """

    combinations: tuple[Mapping[str, Value], ...]
    when: When = msgspec.field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.combinations[0]) if self.combinations else ()

    @cached_property
    def _places(self) -> dict[tuple[tuple[type, object], ...], int]:
        return {self._key(item): index for index, item in enumerate(self.combinations)}

    def _key(self, values: Mapping[str, Value]) -> tuple[tuple[type, object], ...]:
        return tuple([identity(values[name]) for name in self.names])

    @property
    def size(self) -> int:
        return len(self.combinations)

    @property
    def start_values(self) -> dict[str, Value]:
        return self.values_at(0)

    def values_at(self, index: int) -> dict[str, Value]:
        item = self.combinations[index]
        return {name: fresh(item[name]) for name in self.names}

    @cached_property
    def has_structure(self) -> bool:
        return any(has_parts(value) for item in self.combinations for value in item.values())

    def spelled_out(self, field: str, value: Any) -> Any:
        return plain(value) if field == "combinations" else value

    def at_all(self, index: int) -> dict[str, Value]:
        """Return the members' values of combination `index`, as `values_at` does."""
        return self.values_at(index)

    def index_of(self, values: Mapping[str, Value]) -> int | None:
        return self._places.get(self._key(values))

    def wrong_in(self, values: Mapping[str, Value]) -> list[Fault]:
        missing = [name for name in self.names if name not in values]
        if missing or self.index_of(values) is not None:
            return [Fault(name, "is active but has no value") for name in missing]
        given = ", ".join(f"{name}={values[name]!r}" for name in self.names)
        return [Fault(self.name, f"{given} is not one of its combinations")]

    def member(self, name: str) -> Categorical:
        distinct = {identity(item[name]): item[name] for item in self.combinations}
        return Categorical(name, tuple(distinct.values()))

    def faults(self) -> list[Fault]:
        faults = Axis.faults(self)
        if not self.names:
            return [*faults, Fault("combinations", "give at least one table of values")]
        if "" in self.names:
            faults.append(Fault("combinations", "a parameter needs a name"))
        for index, item in enumerate(self.combinations):
            path = f"combinations[{index}]"
            if set(item) != set(self.names):
                message = f"has {', '.join(item)}, but the first has {', '.join(self.names)}"
                faults.append(Fault(path, message))
            for name, value in item.items():
                faults += [Fault(f"{path}.{name}", message) for message in unfit(value)]
        if not faults and len(self._places) < len(self.combinations):
            faults.append(Fault("combinations", "the same combination is listed twice"))
        return faults


def _parsed(name: str, choices: tuple[Value, ...], text: str) -> Value:
    """Parse a choice: as JSON first (``"1"`` is a string, ``1`` a number), else as a string."""
    for written in (json.dumps, as_text):
        for choice in choices:
            if written(choice) == text:
                return fresh(choice)
    for choice in choices:
        if has_parts(choice) and _is_json_of(choice, text):
            return fresh(choice)
    texts = [as_text(choice) for choice in choices]
    raise ValueError(f"{name} is one of {', '.join(texts)}; got {text!r}{nearest(text, texts)}")


def _is_json_of(value: Value, text: str) -> bool:
    """Return whether a text is JSON of a value, whatever its spaces and the order of its keys."""
    try:
        return same_value(json.loads(text), value)
    except (ValueError, RecursionError):
        return False
