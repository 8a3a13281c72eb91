"""The axes of a search space: Float, Int, Categorical, Constant, and ParameterSet.

Every kind answers the same questions, so that spaces and strategies need not ask which it is:
which names it sets, how many points it has, which value is at a point or at a quantile, and
whether a value is one of its own. Steps are exact: 0 to 0.3 by 0.1 is 0, 0.1, 0.2, 0.3.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault, nearest
from hpo_core.model.values import Value, as_text, identity

When: TypeAlias = Mapping[str, Value | tuple[Value, ...]]
"""For each parent's name the value, or values, for which a parameter is active."""


class Axis(Checked, frozen=True, tag_field="type"):
    """What all parameters have in common.

    Attributes:
        name: The parameter's name.
    """

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names that this axis sets in a configuration: its own, or a set's members."""
        return (self.name,)

    @property
    def conditions(self) -> dict[str, tuple[Value, ...]]:
        """For each parent the values for which this is active; empty if it always is."""
        when: When = getattr(self, "when", {})
        return {
            parent: tuple(values) if isinstance(values, tuple | list) else (values,)
            for parent, values in when.items()
        }

    @property
    def size(self) -> int | None:
        """The number of points, or None for a continuous axis."""
        raise NotImplementedError

    def at(self, index: int) -> Value:
        """Return the value of point `index`, counted from 0; only for a finite axis."""
        raise NotImplementedError

    def index(self, value: Value) -> int:
        """Return the point at which a value stands; the inverse of `at`."""
        raise NotImplementedError

    def quantile(self, u: float) -> Value:
        """Return the value below which a share `u` (0 <= u < 1) of the axis lies.

        The scale is logarithmic where ``log`` is set, else linear; for a uniform `u` every
        choice, integer or step is equally likely.
        """
        size = self.size
        if size is None:
            raise NotImplementedError
        return self.at(min(int(u * size), size - 1))

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value for this parameter, or None if it is one of its own."""
        raise NotImplementedError

    def parse(self, text: str) -> Value:
        """Return the value that a person means by `text`, as on a command line.

        Raises:
            ValueError: With a sentence, if it is none of this parameter's values.
        """
        raise NotImplementedError

    @property
    def start(self) -> Value:
        """The value to begin with: ``default`` where given, else the middle or first one."""
        raise NotImplementedError

    def faults(self) -> list[Fault]:
        """Return what is wrong with the name and the conditions."""
        faults = [] if self.name else [Fault("name", "a parameter needs a name")]
        for parent, values in self.conditions.items():
            if parent in self.names:
                faults.append(Fault(f"when.{parent}", "a parameter cannot depend on itself"))
            if not values:
                faults.append(Fault(f"when.{parent}", "give at least one value"))
        return faults


class _Range(Axis, frozen=True):
    """What Float and Int share: a range on a linear or logarithmic scale, perhaps in steps."""

    @property
    def _bounds(self) -> tuple[float, float]:
        raise NotImplementedError

    def _range_faults(self, log: bool, step: float | None, default: float | None) -> list[Fault]:
        low, high = self._bounds
        faults = Axis.faults(self)
        if not (math.isfinite(low) and math.isfinite(high)):
            return [*faults, Fault("", f"the range must be finite, got {low} to {high}")]
        if low > high:
            faults.append(Fault("low", f"{low} is above high, which is {high}"))
        if log and low <= 0:
            faults.append(Fault("low", f"a log scale needs low above 0, got {low}"))
        if log and step is not None:
            faults.append(Fault("step", "a log scale takes no step; leave out step or log"))
        if step is not None and not (step > 0 and math.isfinite(step)):
            faults.append(Fault("step", f"a step must be above 0, got {step}"))
        if not faults and default is not None and (wrong := self.wrong(default)):
            faults.append(Fault("default", wrong))
        return faults

    def parse(self, text: str) -> Value:
        try:
            value: Value = json.loads(text)
        except ValueError:
            value = text
        if isinstance(self, Float) and type(value) is int:
            value = float(value)
        if wrong := self.wrong(value):
            raise ValueError(wrong)
        return value


class Float(_Range, frozen=True, tag="float"):
    """A real number from `low` to `high`, both included.

    Attributes:
        name: The parameter's name.
        low: The least value.
        high: The greatest value.
        log: Whether its scale is logarithmic (`low` must be above 0).
        step: The distance between neighbours, counted from `low`; None for a continuous axis.
            A step that does not divide the range ends below `high`.
        when: For each parent the value or values for which this parameter is active.
        default: Where ``hpo try`` begins; the middle if None.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    when: When = {}
    default: float | None = None

    @property
    def _bounds(self) -> tuple[float, float]:
        return self.low, self.high

    @cached_property
    def _steps(self) -> tuple[Decimal, Decimal, int]:
        low, step = Decimal(repr(self.low)), Decimal(repr(self.step))
        return low, step, int((Decimal(repr(self.high)) - low) / step) + 1

    @property
    def size(self) -> int | None:
        if self.low == self.high:
            return 1
        return None if self.step is None else self._steps[2]

    def at(self, index: int) -> float:
        if self.step is None:
            return self.low
        low, step, _ = self._steps
        return float(low + index * step)

    def index(self, value: Value) -> int:
        assert isinstance(value, float)
        return 0 if self.step is None else round((value - self.low) / self.step)

    def quantile(self, u: float) -> float:
        if (size := self.size) is not None:
            return self.at(min(int(u * size), size - 1))
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + u * (high - low))
        else:
            value = self.low + u * (self.high - self.low)
        return min(max(value, self.low), self.high)

    def wrong(self, value: object) -> str | None:
        if type(value) is not float:
            return f"{self.name} takes a number with a fraction (float), got {value!r}"
        if not self.low <= value <= self.high:
            return f"{self.name} lies between {self.low} and {self.high}, got {value!r}"
        if self.step is not None:
            index = self.index(value)
            if index >= self._steps[2] or self.at(index) != value:
                return f"{self.name} goes from {self.low} by {self.step}, got {value!r}"
        return None

    @property
    def start(self) -> float:
        return self.quantile(0.5) if self.default is None else self.default

    def faults(self) -> list[Fault]:
        return self._range_faults(self.log, self.step, self.default)


class Int(_Range, frozen=True, tag="int"):
    """A whole number from `low` to `high`, both included; never above `high`.

    Attributes:
        name: The parameter's name.
        low: The least value.
        high: The greatest value.
        log: Whether its scale is logarithmic (`low` must be above 0).
        step: The distance between neighbours, counted from `low`; 1 if None.
        when: For each parent the value or values for which this parameter is active.
        default: Where ``hpo try`` begins; the middle if None.
    """

    low: int
    high: int
    log: bool = False
    step: int | None = None
    when: When = {}
    default: int | None = None

    @property
    def _bounds(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def size(self) -> int:
        return (self.high - self.low) // (self.step or 1) + 1

    def at(self, index: int) -> int:
        return self.low + index * (self.step or 1)

    def index(self, value: Value) -> int:
        assert isinstance(value, int)
        return (value - self.low) // (self.step or 1)

    def quantile(self, u: float) -> int:
        if not self.log:
            return self.at(min(int(u * self.size), self.size - 1))
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return min(max(round(math.exp(low + u * (high - low))), self.low), self.high)

    def wrong(self, value: object) -> str | None:
        if type(value) is not int:
            return f"{self.name} takes a whole number, got {value!r}"
        if not self.low <= value <= self.high:
            return f"{self.name} lies between {self.low} and {self.high}, got {value!r}"
        if (value - self.low) % (self.step or 1):
            return f"{self.name} goes from {self.low} by {self.step}, got {value!r}"
        return None

    @property
    def start(self) -> int:
        return self.quantile(0.5) if self.default is None else self.default

    def faults(self) -> list[Fault]:
        return self._range_faults(self.log, self.step, self.default)


class Categorical(Axis, frozen=True, tag="categorical"):
    """One of a list of choices: strings, numbers, booleans or None, without an order.

    Attributes:
        name: The parameter's name.
        choices: The choices; ``1``, ``1.0``, ``True`` and ``"1"`` are four different ones.
        when: For each parent the value or values for which this parameter is active.
        default: The choice where ``hpo try`` begins; the first one if None.
    """

    choices: tuple[Value, ...]
    when: When = {}
    default: Value = None

    @cached_property
    def _places(self) -> dict[tuple[type, object], int]:
        return {identity(choice): index for index, choice in enumerate(self.choices)}

    @property
    def size(self) -> int:
        return len(self.choices)

    def at(self, index: int) -> Value:
        return self.choices[index]

    def index(self, value: Value) -> int:
        return self._places[identity(value)]

    def wrong(self, value: object) -> str | None:
        if identity(value) in self._places:
            return None
        texts = [as_text(choice) for choice in self.choices]
        guess = nearest(value, texts) if isinstance(value, str) else ""
        return f"{self.name} is one of {', '.join(map(repr, self.choices))}; got {value!r}{guess}"

    def parse(self, text: str) -> Value:
        for choice in self.choices:
            if as_text(choice) == text:
                return choice
        raise ValueError(self.wrong(text))

    @property
    def start(self) -> Value:
        return self.default if identity(self.default) in self._places else self.choices[0]

    def faults(self) -> list[Fault]:
        faults = Axis.faults(self)
        if not self.choices:
            faults.append(Fault("choices", "give at least one choice"))
        elif len(self._places) < len(self.choices):
            faults.append(Fault("choices", "the same choice stands there twice"))
        elif self.default is not None and (wrong := self.wrong(self.default)):
            faults.append(Fault("default", wrong))
        faults += [
            Fault("choices", f"a number must be finite, got {choice}")
            for choice in self.choices
            if isinstance(choice, float) and not math.isfinite(choice)
        ]
        return faults


class Constant(Axis, frozen=True, tag="constant"):
    """A parameter with one value, so that it is stored and passed on with the others.

    Attributes:
        name: The parameter's name.
        value: Its value.
        when: For each parent the value or values for which this parameter is active.
    """

    value: Value
    when: When = {}

    @property
    def size(self) -> int:
        return 1

    def at(self, index: int) -> Value:
        return self.value

    def index(self, value: Value) -> int:
        return 0

    def wrong(self, value: object) -> str | None:
        if identity(value) == identity(self.value):
            return None
        return f"{self.name} is always {self.value!r}, got {value!r}"

    def parse(self, text: str) -> Value:
        if text != as_text(self.value):
            raise ValueError(self.wrong(text))
        return self.value

    @property
    def start(self) -> Value:
        return self.value

    def faults(self) -> list[Fault]:
        faults = Axis.faults(self)
        if isinstance(self.value, float) and not math.isfinite(self.value):
            faults.append(Fault("value", f"a number must be finite, got {self.value}"))
        return faults


class ParameterSet(Axis, frozen=True, tag="set"):
    """A list of joint combinations: one is picked, and sets all of its members at once.

    Attributes:
        name: The set's own name; it does not appear in configurations.
        combinations: Mappings with the same keys each, the members' names.
        when: For each parent the value or values for which the set is active.
    """

    combinations: tuple[dict[str, Value], ...]
    when: When = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.combinations[0]) if self.combinations else ()

    @cached_property
    def _places(self) -> dict[tuple[tuple[type, object], ...], int]:
        return {self._key(item): index for index, item in enumerate(self.combinations)}

    def _key(self, values: Mapping[str, Value]) -> tuple[tuple[type, object], ...]:
        return tuple(identity(values[name]) for name in self.names)

    @property
    def size(self) -> int:
        return len(self.combinations)

    def at_all(self, index: int) -> dict[str, Value]:
        """Return the members' values of combination `index`."""
        return self.combinations[index]

    def index_of(self, values: Mapping[str, Value]) -> int | None:
        """Return the combination that `values` holds for the members, or None."""
        return self._places.get(self._key(values))

    def member(self, name: str) -> Categorical:
        """Return one member alone, as the choice that it is."""
        distinct = {identity(item[name]): item[name] for item in self.combinations}
        return Categorical(name, tuple(distinct.values()))

    def faults(self) -> list[Fault]:
        faults = Axis.faults(self)
        if not self.combinations or not self.names:
            return [*faults, Fault("combinations", "give at least one table of values")]
        for index, item in enumerate(self.combinations):
            if set(item) != set(self.names):
                message = f"has {', '.join(item)}, but the first has {', '.join(self.names)}"
                faults.append(Fault(f"combinations[{index}]", message))
        if not faults and len(self._places) < len(self.combinations):
            faults.append(Fault("combinations", "the same combination stands there twice"))
        return faults


Parameter: TypeAlias = Float | Int | Categorical | Constant | ParameterSet
"""Any axis of a search space."""
