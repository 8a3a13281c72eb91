"""Comparisons of linear expressions, such as ``x + 2 * y <= 1``: parsed, never run as code.

    comparison = sum relation sum
    relation   = "<=" | "<" | ">=" | ">" | "==" | "!="
    sum        = ["+" | "-"] product {("+" | "-") product}
    product    = factor {("*" | "/") factor}        of which one factor at most has names
    factor     = number | name | "(" sum ")"

A name begins with a letter or ``_`` and goes on with letters, digits, ``_`` and ``.``, or with
``/`` before a letter (``validation/loss``). Any other name stands in backticks: ```n-layers```.

Arithmetic is exact, in decimals: 0.1 and 0.2 are 0.3.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, NoReturn

RELATIONS = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d][\w.]*(?:/[^\W\d][\w.]*)*|`[^`]+`)"
    r"|(?P<mark><=|>=|==|!=|[<>()*/+-]))"
)
_LONGEST = 1_000  # maximum number of characters
_LARGEST = 400  # maximum exponent of a number: beyond those of floats


class Comparison(NamedTuple):
    """A comparison in the form ``sum of coefficient * name, relation, bound``.

    Attributes:
        coefficients: The factor of each name; none is 0.
        relation: One of `RELATIONS`.
        bound: The number on the right.
    """

    coefficients: Mapping[str, Fraction]
    relation: str
    bound: Fraction

    def holds(self, values: Mapping[str, float]) -> bool:
        """Return whether the comparison is true.

        Args:
            values: A number for each name. With NaN, only ``!=`` is true.
        """
        numbers = [(factor, values[name]) for name, factor in self.coefficients.items()]
        if all(math.isfinite(value) for _, value in numbers):
            total = sum((factor * exact(value) for factor, value in numbers), Fraction(0))
            return bool(RELATIONS[self.relation](total, self.bound))
        rough = sum(float(factor) * value for factor, value in numbers)
        return bool(RELATIONS[self.relation](rough, float(self.bound)))


def exact(number: float) -> Fraction:
    """Return a finite number as the decimal that it is written as: 0.1 is one tenth."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def comparison(text: str) -> Comparison:
    """Parse a comparison.

    Raises:
        ValueError: If it is not one, with the place and the reason.
    """
    return _Parser(text).comparison()


class _Sum(NamedTuple):
    """A linear expression."""

    coefficients: dict[str, Fraction]
    constant: Fraction

    def plus(self, other: _Sum, factor: Fraction) -> _Sum:
        names = dict.fromkeys([*self.coefficients, *other.coefficients])
        zero = Fraction(0)
        added = {
            name: self.coefficients.get(name, zero) + factor * other.coefficients.get(name, zero)
            for name in names
        }
        return _Sum(added, self.constant + factor * other.constant)

    def times(self, factor: Fraction) -> _Sum:
        return _Sum({}, Fraction(0)).plus(self, factor)


class _Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        if len(text) > _LONGEST:
            raise ValueError(f"has {len(text):,} characters; at most {_LONGEST:,} are read")

    def comparison(self) -> Comparison:
        left = self._sum()
        relation = self._mark(*RELATIONS)
        if relation is None:
            self._refuse(f"expected one of {', '.join(RELATIONS)}")
        right = self._sum()
        if self._text[self._at :].strip():
            self._refuse("expected the end")
        difference = left.plus(right, Fraction(-1))
        coefficients = {name: each for name, each in difference.coefficients.items() if each}
        return Comparison(coefficients, relation, -difference.constant)

    def _sum(self) -> _Sum:
        sign = Fraction(-1) if self._mark("+", "-") == "-" else Fraction(1)
        total = self._product().times(sign)
        while mark := self._mark("+", "-"):
            total = total.plus(self._product(), Fraction(1 if mark == "+" else -1))
        return total

    def _product(self) -> _Sum:
        total = self._factor()
        while mark := self._mark("*", "/"):
            start = self._at
            factor = self._factor()
            if mark == "/" and (factor.coefficients or not factor.constant):
                self._refuse("expected a number other than 0 to divide by", start)
            if factor.coefficients and total.coefficients:
                self._refuse("a product of two names is not linear", start)
            if mark == "/":
                total = total.times(1 / factor.constant)
            elif factor.coefficients:
                total = factor.times(total.constant)
            else:
                total = total.times(factor.constant)
        return total

    def _factor(self) -> _Sum:
        if self._mark("("):
            self._depth += 1
            if self._depth > 20:
                self._refuse("is nested too deeply")
            inner = self._sum()
            if not self._mark(")"):
                self._refuse("expected )")
            self._depth -= 1
            return inner
        found = _TOKEN.match(self._text, self._at)
        number, name = (found["number"], found["name"]) if found else (None, None)
        if found is None or not (number or name):
            self._refuse("expected a number or a name")
        if number and abs(int(number.lower().partition("e")[2] or 0)) > _LARGEST:
            self._refuse(f"the number {number} is beyond those of floats")
        self._at = found.end()
        if number:
            return _Sum({}, Fraction(number))
        return _Sum({str(name).strip("`"): Fraction(1)}, Fraction(0))

    def _mark(self, *wanted: str) -> str | None:
        """Read one of some marks, if it is next."""
        found = _TOKEN.match(self._text, self._at)
        if found is None or found["mark"] not in wanted:
            return None
        self._at = found.end()
        return found["mark"]

    def _refuse(self, why: str, at: int | None = None) -> NoReturn:
        place = self._at if at is None else at
        rest = self._text[place:].strip()
        raise ValueError(f"{why}, got {f'{rest:.40}' if rest else 'the end'!r} in {self._text!r}")
