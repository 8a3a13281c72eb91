"""What conditions and forbidden combinations ask of a value: to be one of some, or in a range.

A range is a text with one or several bounds: ``">= 2"``, ``"> 0.1, <= 0.5"``. It is for numeric
parameters, which have no texts among their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol, TypeAlias

from hpo_core.model.comparison import RELATIONS, comparison, exact
from hpo_core.model.errors import Fault
from hpo_core.model.values import Value, identity

_BOUNDS = ("<=", "<", ">=", ">")


class Range:
    """A range of numbers.

    Args:
        text: Its bounds.

    Attributes:
        bounds: The relation and the number of each bound.

    Raises:
        ValueError: If the text is not a range.
    """

    def __init__(self, text: str) -> None:
        self.bounds: list[tuple[str, Fraction]] = []
        for part in text.split(","):
            try:
                found = comparison(f"_ {part}")
            except ValueError:
                found = None
            begins = part.strip().startswith(_BOUNDS)
            if found is None or not begins or list(found.coefficients) != ["_"]:
                raise ValueError(
                    f"expected a range such as '>= 2' or '> 0.1, <= 0.5', got {text!r}"
                )
            self.bounds.append((found.relation, found.bound))

    def __contains__(self, number: object) -> bool:
        if type(number) not in (int, float):
            return False
        return self.has(exact(number))  # type: ignore[arg-type]  # one of these

    def has(self, number: Fraction) -> bool:
        """Return whether an exact number is in the range."""
        return all(RELATIONS[relation](number, bound) for relation, bound in self.bounds)


class Wanted(frozenset[tuple[type, object]]):
    """The identities of wanted values, and ranges besides."""

    ranges: tuple[Range, ...] = ()

    def __contains__(self, key: object) -> bool:
        if super().__contains__(key):
            return True
        return isinstance(key, tuple) and any(key[1] in one for one in self.ranges)


Clause: TypeAlias = dict[str, frozenset[tuple[type, object]]]
"""For each name the wanted values, all of which have to be met."""


def is_range(value: Value, axis: object) -> bool:
    """Return whether a value in a condition is a range: a text where the parent is numeric."""
    return isinstance(value, str) and getattr(axis, "is_numeric", False)


def wanted(values: Iterable[Value], axis: object) -> frozenset[tuple[type, object]]:
    """Return what is wanted of a name, given its axis."""
    listed = tuple(values)
    ranges = tuple(Range(str(value)) for value in listed if is_range(value, axis))
    if not ranges:
        return frozenset(map(identity, listed))
    found = Wanted(identity(value) for value in listed if not is_range(value, axis))
    found.ranges = ranges
    return found


def meets(values: Mapping[str, Value], clause: Clause) -> bool:
    """Return whether every name has one of its wanted values."""
    for name, those in clause.items():
        if name not in values or identity(values[name]) not in those:
            return False
    return True


def range_faults(path: str, axis: Any, texts: Iterable[str]) -> Iterator[Fault]:
    """Yield what is wrong with ranges of a Float or an Int: their text, or that they are empty."""
    for text in texts:
        try:
            one = Range(text)
        except ValueError as error:
            yield Fault(path, str(error))
            continue
        if axis.size is not None:
            has_any = any(axis.at(first) in one for first, _ in windows(axis, [one]))
        else:
            low, high = exact(axis.low), exact(axis.high)
            inner = [bound for _, bound in one.bounds if low <= bound <= high]
            edges = sorted({low, high, *inner})
            middles = [(a + b) / 2 for a, b in pairwise(edges)]
            has_any = any(one.has(each) for each in (*edges, *middles))
        if not has_any:
            yield Fault(
                path, f"the parent is never {text}: it lies between {axis.low} and {axis.high}"
            )


class Points(Protocol):
    """A finite axis of numbers, in ascending order."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def size(self) -> int | None: ...

    def values_at(self, index: int, /) -> Mapping[str, Value]: ...


def windows(axis: Points, ranges: Iterable[Range]) -> Iterator[tuple[int, int]]:
    """Yield the runs of points of a finite axis, within which each range holds all or none.

    Each is given by its first point and the one after its last.
    """
    size = axis.size or 0
    (name,) = axis.names

    def beyond(relation: str, bound: Fraction) -> Callable[[int], bool]:
        above = RELATIONS[">" if relation in ("<=", ">") else ">="]
        return lambda index: bool(above(exact(axis.values_at(index)[name]), bound))  # type: ignore[arg-type]

    cuts = {0, size}
    for one in ranges:
        cuts |= {_first(size, beyond(*bound)) for bound in one.bounds}
    edges = sorted(cuts)
    yield from pairwise(edges)


def _first(size: int, holds: Callable[[int], bool]) -> int:
    """Return the first index at which a monotone test holds; or the size."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
