"""Plain values, their identity, and the immutable mapping of parameters to values.

The type of a value is part of its identity: ``1``, ``1.0``, ``True`` and ``"1"`` are four values.
The same holds within lists and tables, of which the order of keys does not count.
"""

from __future__ import annotations

import copy
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
"""A value without parts: plain Python, never a numpy scalar."""

Value: TypeAlias = str | int | float | bool | list[Any] | dict[str, Any] | None
"""The values that a parameter can take: scalars, and lists and tables (dicts) of JSON."""

JSON: TypeAlias = dict[str, Any] | list[Any] | str | int | float | bool | None
"""The values that JSON can hold."""

_PLAIN = (str, int, float, bool, type(None))


def identity(value: object) -> tuple[type, object]:
    """Return a key that is equal only for equal values of the same type.

    The key is hashable for any value. The key of any other object never equals that of a plain
    value.
    """
    kind = type(value)
    if kind is list:
        return kind, tuple(map(identity, value))  # type: ignore[call-overload]  # a list
    if kind is dict:
        return kind, frozenset((key, identity(each)) for key, each in value.items())  # type: ignore[attr-defined]
    return kind, value if isinstance(value, _PLAIN) else None


def same_value(one: object, other: object) -> bool:
    """Return whether two values are equal and of the same type: 1 is not 1.0, nor True."""
    if has_parts(one):
        return identity(one) == identity(other)
    return type(one) is type(other) and one == other


def has_parts(value: object) -> bool:
    """Return whether a value is a list or a table."""
    return isinstance(value, list | dict)


def fresh(value: Value) -> Value:
    """Return a value that shares no list or table with it, so that a change harms nobody else."""
    return copy.deepcopy(value) if has_parts(value) else value


def plain(value: Any) -> Any:
    """Return a value as JSON gives it back: a tuple within it is a list."""
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def is_one_of(value: object, values: Iterable[object]) -> bool:
    """Return whether `value` is among `values`, with the same type."""
    return any(same_value(value, other) for other in values)


def unfit(value: Value) -> Iterator[str]:
    """Yield the reasons why a value does not survive a round trip through JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"a number must be finite, got {value}"
    elif type(value) is list:
        yield from (wrong for each in value for wrong in unfit(each))
    elif type(value) is dict:
        yield from (f"a key must be text, got {key!r}" for key in value if type(key) is not str)
        yield from (wrong for each in value.values() for wrong in unfit(each))
    elif type(value) not in _PLAIN:
        yield f"a value must be plain, got {said(value)}"


def said(value: object) -> str:
    """Format a value for an error message, with a remedy if it is not plain Python."""
    if type(value).__module__ == "builtins":
        return repr(value)
    return f"{value!r}; give it as plain Python (a numpy scalar's .item(), an enum's .value)"


def meant(value: object, choices: Iterable[Value]) -> str:
    """Return ``"the text '1'; did you mean the integer 1?"`` if only the types differ."""
    if type(value) not in _PLAIN:
        return ""
    given: Value = value  # type: ignore[assignment]  # one of these
    for choice in choices:
        if choice == given or as_text(choice).lower() == as_text(given).lower():
            return f"{with_type(given)}; did you mean {with_type(choice)}?"
    return ""


def without_quotes(value: object) -> str:
    """Return ``"; leave out the quotes"`` for a string that looks like a number."""
    if not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return "; leave out the quotes"


def with_type(value: Value) -> str:
    """Return a value with the name of its type, in the syntax of a study file."""
    match value:
        case bool():
            return f"the boolean {as_text(value)}"
        case int():
            return f"the integer {as_text(value)}"
        case float():
            return f"the number {as_text(value)}"
        case str():
            return f"the text {value!r}"
        case list():
            return f"the list {as_text(value)}"
        case dict():
            return f"the table {as_text(value)}"
        case _:
            return as_text(value)


def as_float(value: Value) -> Value:
    """Convert an integer to a float if it has an exact one; return any other value unchanged."""
    if type(value) is int and abs(value) <= sys.float_info.max:
        return float(value)
    return value


_WORDS = {True: "true", False: "false", None: "null"}


def as_text(value: Value) -> str:
    """Return a value as text.

    Strings are unchanged. Other values are written as in JSON (``true``, ``null``, ``0.1``), with
    the shortest digits that restore the same float.
    """
    match value:
        case str():
            return value
        case bool() | None:
            return _WORDS[value]
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


def as_plain_text(value: Value) -> str:
    """Return a value as text for an argument or an environment variable of a command.

    Like `as_text`, except that a float is a plain decimal (``-0.000056``, not ``-5.6e-05``):
    parsers of command lines mistake ``-5.6e-05`` for an option. The digits are those of `as_text`,
    so they restore the same float.
    """
    text = as_text(value)
    if isinstance(value, float) and "e" in text:
        from decimal import Decimal  # only very small or large numbers

        text = format(Decimal(text), "f")
        return text if "." in text else f"{text}.0"
    return text


def as_shown(value: Value) -> str:
    """Format a value for tables; ``1``, ``1.0`` and ``"1"`` are distinguishable.

    A string is quoted if it could be mistaken for another value or for several words. A float has
    at most four significant digits.
    """
    match value:
        case str():
            is_plain = value and value.isprintable() and not _MISTAKABLE.search(value)
            is_plain = is_plain and not _is_json(value)
            return value if is_plain else json.dumps(value, ensure_ascii=False)
        case float():
            digits = f"{value:.4g}"
            return digits if any(c in digits for c in ".en") else f"{digits}.0"
        case _:
            return as_text(value)


_MISTAKABLE = re.compile(r"[\s\"=,]")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class Configuration(dict[str, Value]):
    """One value for every active parameter: an immutable, hashable dict of plain values.

    It is a ``dict``, so ``f(**configuration)`` and ``json.dumps(configuration)`` work. To change a
    value, make a plain dict: ``dict(configuration, lr=0.1)``. It compares like a dict, so ``1 ==
    1.0``; `same_values` distinguishes types.
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a Configuration cannot be changed; make a dict of it: dict(c, lr=0.1)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # dict is mutable and has no hash
        if any(map(has_parts, self.values())):
            return hash(frozenset((name, _hashable(value)) for name, value in self.items()))
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Configuration], tuple[dict[str, Value]]]:
        return Configuration, (dict(self),)

    def __copy__(self) -> Configuration:
        return self

    def __deepcopy__(self, memo: Mapping[int, object]) -> Configuration:
        return self

    def __repr__(self) -> str:
        return f"Configuration({super().__repr__()})"


def _hashable(value: Any) -> object:
    """Return a hashable stand-in, equal for equal values: 1 and 1.0 are alike, as in a dict."""
    if isinstance(value, list):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return frozenset((key, _hashable(each)) for key, each in value.items())
    return value


def same_values(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Return whether two mappings have the same keys with equal values of the same types."""
    return one.keys() == other.keys() and all(
        same_value(value, other[name]) for name, value in one.items()
    )
