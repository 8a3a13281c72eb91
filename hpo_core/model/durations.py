"""Durations: seconds in Python, ``"90s"``, ``"10m"``, ``"1h30m"`` in configuration."""

from __future__ import annotations

import math
import re

DURATIONS = ("time_limit", "silence_limit", "grace", "compute_time", "wall_time")
"""The keys of a configuration that hold durations."""

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_NUMBER = r"\d+(?:\.\d+)?"
_PATTERN = re.compile(r"\s*".join(rf"(?:({_NUMBER})\s*{unit})?" for unit in _UNITS))


def seconds(duration: object) -> float:
    """Return a duration in seconds.

    Args:
        duration: A number of seconds, or text such as ``"90s"``, ``"1.5h"``, ``"1h30m"``, with
            the units d, h, m and s, the largest first.

    Raises:
        ValueError: If it is neither a number nor such a text, or if it is negative or infinite.
    """
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        if 0 <= duration < math.inf:
            return float(duration)
    elif isinstance(duration, str):
        match = _PATTERN.fullmatch(duration.strip())
        if match and any(match.groups()):
            parts = zip(match.groups(), _UNITS.values(), strict=True)
            return sum(float(number) * unit for number, unit in parts if number)
    raise ValueError(
        f"expected seconds or a duration such as '90s', '10m' or '2h', got {duration!r}"
    )


def exact(duration: float) -> float | str:
    """Format seconds for a configuration, such that `seconds` reads back the exact value."""
    if not duration.is_integer() or duration >= 1e9:
        return duration
    text, rest = "", int(duration)
    for unit, size in _UNITS.items():
        many, rest = divmod(rest, int(size))
        text += f"{many}{unit}" if many else ""
    return text or 0


def human(duration: float) -> str:
    """Format seconds for display: ``0.4s``, ``42s``, ``3m05s``, ``2h07m``.

    A negative number, which a clock that was set back can cause, is shown as ``0.0s``.
    """
    if duration < 9.95:
        return f"{max(duration, 0.0):.1f}s"
    whole = round(duration)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
