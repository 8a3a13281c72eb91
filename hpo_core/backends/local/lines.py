"""Cuts what a job sends into lines, and reads a report from one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec

LONGEST = 1 << 20
"""The most bytes of a report's line."""

_READ = msgspec.json.Decoder(dict[str, int | float | None]).decode
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "an object"}


class Malformed(ValueError):
    """A line is no report; the message says why."""


class Lines:
    """Cuts bytes, which come in pieces, into lines.

    Attributes:
        pending: How many bytes wait for their line's end.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.pending = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take more bytes; return the lines that they complete, without their ends."""
        first, *more = data.split(b"\n")
        self._pieces.append(first)
        self.pending += len(first)
        if not more:
            return []
        lines = [b"".join(self._pieces), *more[:-1]]
        self._pieces, self.pending = [more[-1]], len(more[-1])
        return lines

    def rest(self) -> bytes:
        """Return the last line, which had no end."""
        rest = b"".join(self._pieces)
        self._pieces, self.pending = [], 0
        return rest


def parse_report(line: bytes) -> tuple[int | None, Mapping[str, float]]:
    """Read a report: a JSON object of numbers, one of which may be the ``iteration``.

    ``null``, ``NaN`` and ``Infinity`` are metrics that are not finite.

    Raises:
        Malformed: If it is anything else.
    """
    if len(line) > LONGEST:
        raise too_long(line)
    values: Mapping[str, Any]
    try:
        values = _READ(line)
    except (msgspec.DecodeError, UnicodeDecodeError):  # faulty, or it holds NaN or Infinity
        values = _with_care(line)
    iteration = None
    metrics = {}
    for name, value in values.items():
        if name == "iteration":
            iteration = _iteration(value, line)
        else:
            metrics[name] = math.nan if value is None else _float(value)
    return iteration, metrics


def decode(line: bytes) -> Any:
    """Decode a worker's line, which may hold what strict JSON does not (NaN)."""
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return json.loads(line)


def too_long(line: bytes) -> Malformed:
    """Return the error for a line that is too long, or would be."""
    return _malformed(line, f"it is longer than {LONGEST:,} bytes")


def _with_care(line: bytes) -> Mapping[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise _malformed(
            line,
            'it is not JSON; write one object to a line, such as {"iteration": 3, "loss": 0.4}',
        ) from None
    if not isinstance(values, dict):
        raise _malformed(line, "a report is a JSON object of metrics by name")
    for name, value in values.items():
        if value is not None and type(value) not in (int, float) and name != "iteration":
            kind = _KINDS[type(value)]
            raise _malformed(line, f"a metric must be a number, and {name!r} is {kind}")
    return values


def _iteration(value: Any, line: bytes) -> int:
    whole = type(value) is int or (type(value) is float and value.is_integer())
    if not whole or value < 0:
        raise _malformed(line, "the iteration must be a whole number, 0 or more")
    return int(value)


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number with more than 308 digits
        return math.inf if value > 0 else -math.inf


def _malformed(line: bytes, why: str) -> Malformed:
    text = line[:200].decode(errors="replace")
    text = text if len(line) <= 80 else f"{text[:77]}…"
    return Malformed(f"malformed report line {text!r}: {why}")
