"""The hypervolume that points dominate, computed point by point (losses, lower is better).

The contribution of a point is its box up to the reference point, without the part of it that other
points dominate: While, Bradstreet and Barone, IEEE Transactions on Evolutionary Computation 2012
(WFG).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from hpo_core.plugin import pareto_front

_Point = tuple[float, ...]


class Hypervolume:
    """A hypervolume that grows.

    Args:
        reference: The reference point.
    """

    def __init__(self, reference: Sequence[float]) -> None:
        self._reference = tuple(reference)
        self._front: list[_Point] = []
        self._volume = 0.0

    def add(self, losses: Sequence[float]) -> float:
        """Add a point, and return the new volume."""
        point = tuple(losses)
        is_inside = all(a < b for a, b in zip(point, self._reference, strict=True))
        if is_inside and not any(_covers(other, point) for other in self._front):
            self._volume += _exclusive(point, self._front, self._reference)
            self._front = [other for other in self._front if not _covers(point, other)]
            self._front.append(point)
        return self._volume


def _covers(one: _Point, other: _Point) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))


def _exclusive(point: _Point, others: Sequence[_Point], reference: _Point) -> float:
    """Return the volume that a point alone dominates."""
    box = math.prod(r - p for r, p in zip(reference, point, strict=True))
    within = {tuple(map(max, point, other)) for other in others}
    return box - _volume(list(within), reference)


def _volume(points: list[_Point], reference: _Point) -> float:
    """Return the volume that points dominate; none of them is beyond the reference point."""
    front = [points[place] for place in pareto_front(points)]
    if not front:
        return 0.0
    if len(reference) == 2:
        volume, top = 0.0, reference[1]
        for x, y in front:  # sorted by x, so y decreases
            volume += (reference[0] - x) * max(top - y, 0.0)
            top = min(top, y)
        return volume
    total = 0.0
    for place, point in enumerate(front):
        total += _exclusive(point, front[place + 1 :], reference)
    return total
