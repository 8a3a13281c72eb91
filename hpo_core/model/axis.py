"""What all parameters have in common: the questions that every kind of axis answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from hpo_core.model.checked import Checked
from hpo_core.model.errors import Fault
from hpo_core.model.values import Value

When: TypeAlias = Mapping[str, Value | tuple[Value, ...]]
"""For each parent's name the value, or values, for which a parameter is active."""


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

    def at(self, index: int) -> Value:
        """Return the value of point `index`, from 0 to `size` - 1; only for a finite axis."""
        raise NotImplementedError

    def index(self, value: Value) -> int:
        """Return the point at which a value of this axis stands; the inverse of `at`."""
        raise NotImplementedError

    def quantile(self, u: float) -> Value:
        """Return the value below which a share `u` (0 <= u < 1) of the axis lies.

        The scale is logarithmic where ``log`` is set, else linear; for a uniform `u` every
        choice, integer or step is equally likely (as far as the digits of a float go).
        """
        size = self.size
        if size is None:
            raise NotImplementedError
        return self.at(min(int(u * size), size - 1))

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value for this parameter, or None if it is one of its own.

        Types count: 1, 1.0, True and "1" are four values, and a numpy scalar is none of them.
        """
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


def several(values: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    """Return one value, or several, as several."""
    return tuple(values) if isinstance(values, tuple | list) else (values,)
