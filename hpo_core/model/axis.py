"""What all parameters have in common: the questions that every kind of axis answers.

An `Axis` sets one value or several, by name, and so speaks of mappings: whoever asks for
`values_at`, `values_from`, `index_of` and `unit_of` need not know which kind it is. A `ScalarAxis`
sets one value alone, and can be asked about that value without its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault
from hpo_core.model.values import Value

When: TypeAlias = Mapping[str, Value | tuple[Value, ...]]
"""For each parent's name the value, or values, for which a parameter is active."""


_Scalar = TypeVar("_Scalar", bound="ScalarAxis")


class Axis(Checked, frozen=True, tag_field="type"):
    """One axis of a search space.

    Attributes:
        name: The parameter's name.
    """

    FROM_PLACE = ("name",)  # the table's own name

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names that this axis sets in a configuration: its own, or a set's members."""
        return (self.name,)

    @property
    def conditions(self) -> dict[str, tuple[Value, ...]]:
        """For each parent the values for which this is active; empty if it always is."""
        when: When = getattr(self, "when", {})
        return {parent: several(values) for parent, values in when.items()}

    @property
    def size(self) -> int | None:
        """The number of points, or None for a continuous axis."""
        raise NotImplementedError

    @property
    def start_values(self) -> dict[str, Value]:
        """The values to begin with, by name."""
        raise NotImplementedError

    def values_at(self, index: int) -> dict[str, Value]:
        """Return the values of point `index`, by name; only for a finite axis.

        Args:
            index: From 0 to `size` - 1.
        """
        raise NotImplementedError

    def values_from(self, u: float) -> dict[str, Value]:
        """Return the values at a coordinate of the unit interval, by name.

        The scale is logarithmic where ``log`` is set, else linear; for a uniform `u` every
        choice, integer or step is equally likely (as far as the digits of a float go).

        Args:
            u: From 0 to 1, both included.
        """
        size = self.size
        if size is None:
            raise NotImplementedError
        return self.values_at(min(int(u * size), size - 1))

    def index_of(self, values: Mapping[str, Value]) -> int | None:
        """Return the point that `values` holds; the inverse of `values_at`.

        Returns:
            The point, or None if the values are not of this axis, or if it is continuous.

        Raises:
            KeyError: If one of `names` has no value there.
        """
        raise NotImplementedError

    def unit_of(self, values: Mapping[str, Value]) -> float:
        """Return a coordinate of the unit interval at which `values` stands.

        It is the inverse of `values_from`: of values that came from there, `values_from` returns
        the same again. Between two neighbouring coordinates of a very wide range there are values
        that no coordinate has; for such a one it is the coordinate of the nearest one.

        Returns:
            From 0 to 1; the middle of its share for a choice, an integer or a step.

        Raises:
            KeyError: If one of `names` has no value there.
            ValueError: With a sentence, if the values are not of this axis.
        """
        size, index = self.size, self.index_of(values)
        if size is None or index is None:
            raise ValueError("; ".join(fault.message for fault in self.wrong_in(values)))
        return (index + 0.5) / size

    def wrong_in(self, values: Mapping[str, Value]) -> list[Fault]:
        """Return what is wrong with this axis's values in a configuration where it is active."""
        raise NotImplementedError

    def coerce(self, value: Value) -> Value:
        """Return a whole number that was given for a Float as a float, any other value as it is."""
        return value

    def member(self, name: str) -> ScalarAxis:
        """Return the axis of one of `names` alone: this one, or of a set the member's choice."""
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


class ScalarAxis(Axis, frozen=True):
    """An axis that sets one value, under its own name: every kind but a ParameterSet."""

    def at(self, index: int) -> Value:
        """Return the value of point `index`, from 0 to `size` - 1; only for a finite axis."""
        raise NotImplementedError

    def index(self, value: Value) -> int:
        """Return the point at which a value of this axis stands; the inverse of `at`."""
        raise NotImplementedError

    def quantile(self, u: float) -> Value:
        """Return the value below which a share `u` (0 <= u < 1) of the axis lies.

        It is the value of `values_from`.
        """
        size = self.size
        if size is None:
            raise NotImplementedError
        return self.at(min(int(u * size), size - 1))

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value for this parameter, or None if it is one of its own.

        Types count: 1, 1.0, True and "1" are four values, and a numpy scalar is not one of them.
        """
        raise NotImplementedError

    def parse(self, text: str) -> Value:
        """Return the value that a person means by `text`, as on a command line.

        Raises:
            ValueError: With a sentence, if it is not one of this parameter's values.
        """
        raise NotImplementedError

    @property
    def start(self) -> Value:
        """The value to begin with: ``default`` where given, else the middle or first one."""
        raise NotImplementedError

    @property
    def start_values(self) -> dict[str, Value]:
        return {self.name: self.start}

    def values_at(self, index: int) -> dict[str, Value]:
        return {self.name: self.at(index)}

    def values_from(self, u: float) -> dict[str, Value]:
        return {self.name: self.quantile(u)}

    def index_of(self, values: Mapping[str, Value]) -> int | None:
        value = values[self.name]
        return None if self.size is None or self.wrong(value) else self.index(value)

    def wrong_in(self, values: Mapping[str, Value]) -> list[Fault]:
        if self.name not in values:
            return [Fault(self.name, "is active but has no value")]
        wrong = self.wrong(values[self.name])
        return [Fault(self.name, wrong)] if wrong else []

    def member(self: _Scalar, name: str) -> _Scalar:
        return self


def several(values: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    """Return one value, or several, as several."""
    return tuple(values) if isinstance(values, tuple | list) else (values,)
