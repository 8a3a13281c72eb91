"""The options of grid search, and their validation for a space."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from hpo_core.plugin import Fault, SearchSpace


class GridOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of ``grid``.

    Attributes:
        points: Number of points for each Float without a step: one number for all, or a mapping by
            name. The points are evenly spaced on the Float's scale (logarithmic with ``log``),
            including both bounds; a single point is its default, or else its middle.
    """

    points: int | dict[str, int] | None = None


def faults(space: SearchSpace, options: GridOptions) -> Iterator[Fault]:
    """Find all faults: unused or invalid points, and Floats that lack them."""
    points = options.points
    continuous = [axis.name for axis in space.parameters if axis.size is None]
    if isinstance(points, Mapping):
        for name, number in points.items():
            if name not in continuous:
                yield Fault(f"points.{name}", _useless(name, space, continuous))
            elif number < 1:
                yield Fault(f"points.{name}", f"must be 1 or more, got {number}")
    elif points is not None and points < 1:
        yield Fault("points", f"must be 1 or more, got {points}")
    for name in continuous:
        if points is None or (isinstance(points, Mapping) and name not in points):
            yield Fault(
                f"parameters.{name}",
                "a float without a step has no end of values: give it a step, or give the grid"
                " a number of points (the option points, such as points=5)",
            )


def _useless(name: str, space: SearchSpace, continuous: Iterable[str]) -> str:
    if any(axis.name == name for axis in space.parameters):
        return f"{name} takes no points: only a float without a step does"
    guess = difflib.get_close_matches(name, continuous, n=1)
    return f"there is no parameter {name!r}" + "".join(f"; did you mean {g!r}?" for g in guess)
