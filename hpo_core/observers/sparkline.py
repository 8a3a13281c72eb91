"""The values of a job so far, drawn in a line of text."""

from __future__ import annotations

import math

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-=+*^#"
_KEPT = 64  # values: more are thinned out, so that memory and drawing stay cheap


class Curve:
    """The values of a metric in their order. Of many values every second, fourth, … is kept."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._last = math.nan
        self._count = 0
        self._step = 1

    def add(self, value: float) -> None:
        """Append a value; NaN and infinite ones are left out."""
        if not math.isfinite(value):
            return
        if self._count % self._step == 0:
            self._values.append(value)
            if len(self._values) == _KEPT:
                del self._values[1::2]
                self._step *= 2
        self._count += 1
        self._last = value

    def drawn(self, width: int, *, plain: bool = False) -> str:
        """Return the curve from the first value to the last one, as wide as it is long.

        Args:
            width: The maximum width in columns.
            plain: Whether to use ASCII alone.
        """
        if not self._values or not width:
            return ""
        values = list(self._values)
        if (self._count - 1) % self._step:  # the last one was not kept
            values.append(self._last)
        if len(values) > width:
            last = len(values) - 1
            values = [values[round(place * last / max(width - 1, 1))] for place in range(width)]
        low, high = min(values), max(values)
        levels = _ASCII if plain else _LEVELS
        scale = (len(levels) - 1) / (high - low) if high > low else 0.0
        return "".join(levels[int((value - low) * scale + 0.5)] for value in values)
