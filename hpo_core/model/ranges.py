"""Float and Int: ranges of numbers on a linear or logarithmic scale, optionally in exact steps.

A stepped Float counts in integer multiples of its last decimal place: 0 to 0.3 by 0.1 is 0, 0.1,
0.2, 0.3, each exactly the float of that literal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property

import msgspec

from hpo_core.model.axis import Axis, ScalarAxis, When
from hpo_core.model.errors import Fault
from hpo_core.model.values import Value, as_float, said, without_quotes

_LARGEST_INT = 2**63 - 1
_FINEST_STEP = 64  # in units of the last place; with finer steps, index() could miss the nearest


class _Range(ScalarAxis, frozen=True):
    """Base class of Float and Int: checks, and the position of a value on the scale."""

    is_numeric = True

    def _place(self, value: float) -> float:
        """Return the position of a value between low (0) and high (1), up to rounding."""
        raise NotImplementedError

    def unit_of(self, values: Mapping[str, Value]) -> float:
        value = values[self.name]
        if wrong := self.wrong(value):
            raise ValueError(wrong)
        assert isinstance(value, int | float)
        return _inverse(self.quantile, value, self._place(value))  # type: ignore[arg-type]

    def _range_faults(
        self,
        low: float,
        high: float,
        *,
        log: bool,
        step: float | None,
        default: float | None,
    ) -> list[Fault]:
        faults = Axis.faults(self)
        if low > high:
            faults.append(Fault("low", f"{low} is above high, which is {high}"))
        if log and low <= 0:
            faults.append(Fault("low", f"a log scale needs low above 0, got {low}"))
        if log and step is not None:
            faults.append(Fault("step", "a log scale takes no step; leave out step or log"))
        if step is not None and not (step > 0 and math.isfinite(step)):
            faults.append(Fault("step", f"a step must be a finite number above 0, got {step}"))
        if not faults and default is not None and (wrong := self.wrong(default)):
            faults.append(Fault("default", wrong))
        return faults


class Float(_Range, frozen=True, tag="float"):
    """A real number from `low` to `high`, both included.

    Attributes:
        name: The parameter's name.
        low: Smallest value.
        high: Largest value.
        log: Whether the scale is logarithmic; `low` must then be above 0.
        step: Distance between neighbouring values, counted from `low`; None for a continuous axis.
            If the step does not divide the range, the last value is below `high`.
        when: For each parent, the value or values for which this parameter is active.
        default: Default value, used by ``hpo try``; the middle of the range if None.

    Raises:
        InvalidInput: If the range is empty, infinite or wider than a float can hold, if both log
            and step are given, if the step is too fine for floats, or if the default is invalid.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    when: When = msgspec.field(default_factory=dict)
    default: float | None = None

    @cached_property
    def _steps(self) -> tuple[int, int, int, int]:
        """Low, step and their divisor, and the number of points."""
        ends = [Decimal(repr(x)).as_integer_ratio() for x in (self.low, self.step, self.high)]
        scale = math.lcm(*(denominator for _, denominator in ends))
        low, step, high = (numerator * (scale // denominator) for numerator, denominator in ends)
        return low, step, scale, (high - low) // step + 1

    @cached_property
    def _logs(self) -> tuple[float, float]:
        return math.log(self.low), math.log(self.high)

    @property
    def size(self) -> int | None:
        if self.low == self.high:
            return 1
        return None if self.step is None else self._steps[3]

    def at(self, index: int) -> float:
        if self.step is None:
            if self.low < self.high:
                raise ValueError(f"{self.name} is continuous and has no point {index}")
            return self.low
        low, step, scale, _ = self._steps
        return (low + index * step) / scale  # integers: rounded once, correctly

    def index(self, value: Value) -> int:
        assert isinstance(value, float)
        return 0 if self.step is None else round((value - self.low) / self.step)

    def quantile(self, u: float) -> float:
        if (size := self.size) is not None:
            return self.at(min(int(u * size), size - 1))
        if self.log:
            low, high = self._logs
            value = math.exp(low + u * (high - low))
        else:
            value = self.low + u * (self.high - self.low)
        return min(max(value, self.low), self.high)

    def _place(self, value: float) -> float:
        if (size := self.size) is not None:
            return (self.index(value) + 0.5) / size
        if self.log:
            low, high = self._logs
            return (math.log(value) - low) / (high - low) if low < high else 0.5
        return (value - self.low) / (self.high - self.low)

    def coerce(self, value: Value) -> Value:
        return as_float(value)

    def wrong(self, value: object) -> str | None:
        if type(value) is not float:
            kind = "a number with a fraction (float)"
            return f"{self.name} takes {kind}, got {said(value)}{without_quotes(value)}"
        if not self.low <= value <= self.high:
            return f"{self.name} lies between {self.low} and {self.high}, got {value!r}"
        if self.step is not None and self.at(self.index(value)) != value:
            return f"{self.name} goes from {self.low} by {self.step}, got {value!r}"
        return None

    def parse(self, text: str) -> float:
        try:
            value: object = float(text)
        except ValueError:
            value = text
        if wrong := self.wrong(value):
            raise ValueError(wrong)
        return float(text)

    @property
    def start(self) -> float:
        return self.quantile(0.5) if self.default is None else self.default

    def faults(self) -> list[Fault]:
        low, high, step = self.low, self.high, self.step
        if not (math.isfinite(low) and math.isfinite(high)):
            message = f"the range must be finite, got {low} to {high}"
            return [*Axis.faults(self), Fault("", message)]
        if not math.isfinite(high - low):
            message = f"the range from {low} to {high} is wider than a float can hold; narrow it"
            return [*Axis.faults(self), Fault("", message)]
        finest = _FINEST_STEP * math.ulp(max(abs(low), abs(high)))
        if step is not None and low < high and 0 < step < finest:
            message = f"floats near {max(abs(low), abs(high))} are too coarse for steps of {step}"
            return [*Axis.faults(self), Fault("step", f"{message}; give at least {finest:.0e}")]
        return self._range_faults(low, high, log=self.log, step=step, default=self.default)


class Int(_Range, frozen=True, tag="int"):
    """An integer from `low` to `high`, both included.

    Attributes:
        name: The parameter's name.
        low: The least value.
        high: The greatest value.
        log: Whether its scale is logarithmic (`low` must be above 0).
        step: Distance between neighbouring values, counted from `low`; 1 if None. If the step does
            not divide the range, the last value is below `high`.
        when: For each parent the value or values for which this parameter is active.
        default: Where ``hpo try`` begins; the middle if None.

    Raises:
        InvalidInput: If the range is empty or exceeds 64 bits, if both log and step are given, if
            the step is below 1, or if the default is invalid.
    """

    low: int
    high: int
    log: bool = False
    step: int | None = None
    when: When = msgspec.field(default_factory=dict)
    default: int | None = None

    @cached_property
    def _logs(self) -> tuple[float, float]:
        """The ends of the log scale, where each integer covers the interval that rounds to it."""
        return math.log(self.low - 0.5), math.log(self.high + 0.5)

    @property
    def size(self) -> int:
        return (self.high - self.low) // (self.step or 1) + 1

    def at(self, index: int) -> int:
        return self.low + index * (self.step or 1)

    def index(self, value: Value) -> int:
        assert isinstance(value, int)
        return (value - self.low) // (self.step or 1)

    def quantile(self, u: float) -> int:
        if not self.log:
            size = self.size
            return self.at(min(int(u * size), size - 1))
        low, high = self._logs
        return min(max(round(math.exp(low + u * (high - low))), self.low), self.high)

    def _place(self, value: float) -> float:
        if not self.log:
            return (self.index(int(value)) + 0.5) / self.size
        low, high = self._logs
        return (math.log(value) - low) / (high - low) if low < high else 0.5

    def wrong(self, value: object) -> str | None:
        if type(value) is not int:
            return f"{self.name} takes an integer, got {said(value)}{without_quotes(value)}"
        if not self.low <= value <= self.high:
            return f"{self.name} lies between {self.low} and {self.high}, got {value!r}"
        if self.step is not None and (value - self.low) % self.step:
            return f"{self.name} goes from {self.low} by {self.step}, got {value!r}"
        return None

    def parse(self, text: str) -> int:
        try:
            value: object = int(text)
        except ValueError:
            value = text
        if wrong := self.wrong(value):
            raise ValueError(wrong)
        return int(text)

    @property
    def start(self) -> int:
        return self.quantile(0.5) if self.default is None else self.default

    def faults(self) -> list[Fault]:
        low, high = self.low, self.high
        if max(abs(low), abs(high), abs(self.step or 0)) > _LARGEST_INT:
            message = f"integers must fit in 64 bits: at most {_LARGEST_INT} in magnitude"
            return [*Axis.faults(self), Fault("", message)]
        return self._range_faults(low, high, log=self.log, step=self.step, default=self.default)


def _inverse(quantile: Callable[[float], float], value: float, guess: float) -> float:
    """Return where a non-decreasing quantile function has a value, or comes nearest to it.

    Args:
        quantile: The quantile function, defined from 0 to 1.
        value: A value between the first and the last of the function.
        guess: An estimate of the result, exact up to a few roundings.
    """
    below = above = min(max(guess, 0.0), 1.0)
    found, step = quantile(above), math.ulp(above)
    if found < value:
        while above < 1.0 and quantile(above) < value:
            below, above, step = above, min(above + step, 1.0), 2 * step
    elif found > value:
        while below > 0.0 and quantile(below) > value:
            above, below, step = below, max(below - step, 0.0), 2 * step
    while below < (middle := (below + above) / 2) < above:
        if quantile(middle) < value:
            below = middle
        else:
            above = middle
    return min((above, below), key=lambda u: abs(quantile(u) - value))
