"""The common interface of all parameters.

An `Axis` sets one or several values by name, so `values_at`, `values_from`, `index_of` and
`unit_of` work with mappings, for every kind of axis. A `ScalarAxis` sets a single value and has
methods that take and return that value without its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeAlias, TypeVar

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault
from hpo_core.model.values import Scalar, Value

When: TypeAlias = Mapping[str, Scalar | tuple[Scalar, ...]]
"""Maps each parent's name to the value or values for which a parameter is active.

A text for a numeric parent is a range, such as ``">= 2"``.
"""


_Scalar = TypeVar("_Scalar", bound="ScalarAxis")


class Axis(Checked, frozen=True, tag_field="type"):
    """One axis of a search space.

    Attributes:
        name: The parameter's name.
    """

    FROM_PLACE = ("name",)  # the table's own name

    is_numeric: ClassVar[bool] = False
    """Whether its values are numbers in ascending order, so that a condition may name a range."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names that this axis sets in a configuration: its own, or the members of a set."""
        return (self.name,)

    @property
    def conditions(self) -> dict[str, tuple[Scalar, ...]]:
        """The values and ranges of each parent for which this axis is active; empty if always."""
        when: When = getattr(self, "when", {})
        return {parent: several(values) for parent, values in when.items()}

    @property
    def has_structure(self) -> bool:
        """Whether any of its values is a list or a table."""
        return False

    @property
    def size(self) -> int | None:
        """The number of points, or None for a continuous axis."""
        raise NotImplementedError

    @property
    def start_values(self) -> dict[str, Value]:
        """The default values, by name."""
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
            The point, or None if the values do not belong to this axis or the axis is continuous.

        Raises:
            KeyError: If one of `names` has no value there.
        """
        raise NotImplementedError

    def unit_of(self, values: Mapping[str, Value]) -> float:
        """Return a coordinate of the unit interval at which `values` stands.

        This is the inverse of `values_from`: for values that `values_from` returned, it returns a
        coordinate that gives the same values. A very wide range has values between those of two
        neighbouring coordinates; for such a value, the coordinate of the nearest one is returned.

        Returns:
            From 0 to 1. For a choice, an integer or a step, the middle of its interval.

        Raises:
            KeyError: If one of `names` has no value there.
            ValueError: If the values do not belong to this axis.
        """
        size, index = self.size, self.index_of(values)
        if size is None or index is None:
            raise ValueError("; ".join(fault.message for fault in self.wrong_in(values)))
        return (index + 0.5) / size

    def wrong_in(self, values: Mapping[str, Value]) -> list[Fault]:
        """Return what is wrong with this axis's values in a configuration in which it is active."""
        raise NotImplementedError

    def coerce(self, value: Value) -> Value:
        """Convert an integer value of a Float to a float; return any other value unchanged."""
        return value

    def member(self, name: str) -> ScalarAxis:
        """Return the axis of a single name: this axis, or a Categorical for a member of a set."""
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
    """An axis that sets one value, under its own name: every kind except ParameterSet."""

    def at(self, index: int) -> Value:
        """Return the value of point `index`, from 0 to `size` - 1. Only for a finite axis."""
        raise NotImplementedError

    def index(self, value: Value) -> int:
        """Return the index of a value of this axis; the inverse of `at`."""
        raise NotImplementedError

    def quantile(self, u: float) -> Value:
        """Return the value of the axis at quantile `u` (0 <= u < 1).

        This is the value in the mapping that `values_from` returns.
        """
        size = self.size
        if size is None:
            raise NotImplementedError
        return self.at(min(int(u * size), size - 1))

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value for this parameter, or None if the value is valid.

        Types count: 1, 1.0, True and "1" are four values, and a numpy scalar is not one of them.
        """
        raise NotImplementedError

    def parse(self, text: str) -> Value:
        """Parse a value from text, as on a command line.

        Raises:
            ValueError: If the text is not a value of this parameter.
        """
        raise NotImplementedError

    @property
    def start(self) -> Value:
        """The default: ``default`` if given, else the middle of the range or the first choice."""
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


def several(values: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """Return one value or several as a sequence."""
    return tuple(values) if isinstance(values, tuple | list) else (values,)
