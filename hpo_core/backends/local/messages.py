"""Parse a line from a job: a report, or a message of a worker."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from hpo_core.client import ENDLESS, LONGEST

_READ = msgspec.json.Decoder(dict[str, int | float | None]).decode
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "an object"}


class Malformed(ValueError):
    """A line is not a valid report or message of a worker."""


class Ready(msgspec.Struct, array_like=True, frozen=True, tag="ready"):
    """A worker is ready for its first job."""


class Said(msgspec.Struct, array_like=True, frozen=True, tag="report"):
    """A worker's job has reported."""

    iteration: Annotated[int, msgspec.Meta(ge=0, lt=ENDLESS)] | None
    metrics: dict[str, float]


class Ended(msgspec.Struct, array_like=True, frozen=True, tag="finished"):
    """A worker's job has ended."""

    outcome: Literal["completed", "failed", "cancelled"]
    reason: str
    metrics: dict[str, float] | None


Message: TypeAlias = Ready | Said | Ended
"""The messages of a worker."""

_READ_MESSAGE: Callable[[bytes], Message] = msgspec.json.Decoder(Message).decode


def parse_report(line: bytes) -> tuple[int | None, Mapping[str, float]]:
    """Parse a report: a JSON object of numbers, one of which may be the ``iteration``.

    ``null``, ``NaN`` and ``Infinity`` are metrics that are not finite.

    Raises:
        Malformed: If the line is anything else.
    """
    if len(line) > LONGEST:
        raise too_long(line)
    values: Mapping[str, Any]
    try:
        values = _READ(line)
    except (msgspec.DecodeError, UnicodeDecodeError):  # malformed, or with NaN or Infinity
        values = _with_care(line)
    _check_text(values, line)
    iteration = None
    metrics = {}
    for name, value in values.items():
        if name == "iteration":
            iteration = _iteration(value, line)
        else:
            metrics[name] = math.nan if value is None else _float(value)
    return iteration, metrics


def parse_message(line: bytes) -> Message:
    """Parse a worker's message, which may contain NaN, unlike strict JSON.

    Raises:
        Malformed: If it is not a message: the job has written to the worker's connection itself.
    """
    if len(line) > LONGEST:
        raise too_long(line)
    try:
        message = _READ_MESSAGE(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            message = msgspec.convert(json.loads(line), Message)
        except (ValueError, RecursionError):
            raise _malformed(
                line, "a job must not write to its worker's connection itself"
            ) from None
    match message:
        case Said():
            _check_text(message.metrics, line)
        case Ended():
            _check_text([message.reason, *(message.metrics or ())], line)
    return message


def too_long(line: bytes) -> Malformed:
    """Return the error for a line that is too long."""
    return _malformed(line, f"it is longer than {LONGEST:,} bytes")


def _check_text(texts: Iterable[str], line: bytes) -> None:
    """Check that no text contains a lone surrogate, which only an escape can produce."""
    if b"\\u" in line:
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:
            raise _malformed(line, "it contains half a character (a lone surrogate)") from None


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
    if not whole or not 0 <= value < ENDLESS:
        raise _malformed(line, "the iteration must be an integer, 0 or more, and below 2^53")
    return int(value)


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer with more than 308 digits
        return math.inf if value > 0 else -math.inf


def _malformed(line: bytes, why: str) -> Malformed:
    text = line[:200].decode(errors="replace")
    text = text if len(line) <= 80 else f"{text[:77]}…"
    return Malformed(f"malformed report line {text!r}: {why}")
