"""One parameter as one hyperparameter of ConfigSpace, and conversion of its values.

A *value* is what a job gets; a *native* is its representation in ConfigSpace:

| parameter | hyperparameter | native |
|---|---|---|
| Float | float | the value |
| Float whose bounds ConfigSpace would round | float from 0 to 1 | the position of the value on its
scale |
| Float with a step, Int | integer from 0 | the number of steps above the minimum |
| Int with `log` | integer on a log scale | the value |
| Categorical, ParameterSet | categorical | the index of the choice |
| Constant, and a number with one value | constant | 0 |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import ConfigSpace
import numpy as np
from ConfigSpace import (
    CategoricalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from ConfigSpace.hyperparameters import hyperparameter
from ConfigSpace.hyperparameters.hp_components import ROUND_PLACES

from hpo_core.plugin import Categorical, Constant, Float, Int, Parameter, ParameterSet, Value

Native: TypeAlias = float | int
Hyperparameter: TypeAlias = hyperparameter.Hyperparameter[Any, Any]

MOST = 2**40
"""Maximum number of points of an axis, and maximum integer on a log scale: above it, ConfigSpace's
floats do not distinguish all neighbours."""


class Form(Protocol):
    """The representation of a parameter in ConfigSpace."""

    def hyperparameter(self, default: Native | None) -> Hyperparameter:
        """Return the hyperparameter; `default` must not be in a forbidden combination."""

    def values(self, native: Native) -> dict[str, Value]:
        """Return the values of a native, by name; a set has several."""

    def native(self, values: Mapping[str, Value]) -> Native:
        """Return the native of a configuration's values."""


def form_of(axis: Parameter) -> Form:
    """Return the representation of a parameter."""
    match axis:
        case Categorical() | ParameterSet():
            return _Choice(axis)
        case Constant():
            return _Fixed(axis)
        case _ if axis.size == 1:
            return _Fixed(axis)
        case Float(step=None):
            return _Plain(axis) if _is_kept(axis) else _OnItsScale(axis)
        case Int(log=True):
            return _LogInteger(axis)
        case _:
            return _Steps(axis)


def wrong_with(axis: Parameter) -> str | None:
    """Return the reason why ConfigSpace cannot represent a parameter, or None."""
    size = axis.size
    if size is not None and size > MOST:
        return f"hpbandster tells at most 2^40 values of a parameter apart, and there are {size:,}"
    if isinstance(axis, Int) and axis.log and axis.high > MOST:
        return f"on a log scale hpbandster counts up to 2^40, and high is {axis.high:,}"
    return None


def _is_kept(axis: Float) -> bool:
    """Return whether rounding to 13 decimal places, as in ConfigSpace, preserves both ends."""
    return all(float(np.round(end, ROUND_PLACES)) == end for end in (axis.low, axis.high))


class _Plain:
    def __init__(self, axis: Float) -> None:
        self._axis = axis

    def hyperparameter(self, default: Native | None) -> Hyperparameter:
        axis = self._axis
        return UniformFloatHyperparameter(axis.name, axis.low, axis.high, default, axis.log)

    def values(self, native: Native) -> dict[str, Value]:
        return {self._axis.name: min(max(float(native), self._axis.low), self._axis.high)}

    def native(self, values: Mapping[str, Value]) -> Native:
        return _number(values[self._axis.name])


class _OnItsScale:
    def __init__(self, axis: Float) -> None:
        self._axis = axis
        self._scale = math.log if axis.log else float

    def hyperparameter(self, default: Native | None) -> Hyperparameter:
        return UniformFloatHyperparameter(self._axis.name, 0.0, 1.0, default)

    def values(self, native: Native) -> dict[str, Value]:
        return self._axis.values_from(float(native))

    def native(self, values: Mapping[str, Value]) -> Native:
        ends = self._scale(self._axis.low), self._scale(self._axis.high)
        place = (self._scale(_number(values[self._axis.name])) - ends[0]) / (ends[1] - ends[0])
        return min(max(round(place, ROUND_PLACES), 0.0), 1.0)


class _Steps:
    def __init__(self, axis: Float | Int) -> None:
        self._axis = axis

    def hyperparameter(self, default: Native | None) -> Hyperparameter:
        last = (self._axis.size or 1) - 1
        return UniformIntegerHyperparameter(self._axis.name, 0, last, default)

    def values(self, native: Native) -> dict[str, Value]:
        return self._axis.values_at(int(native))

    def native(self, values: Mapping[str, Value]) -> Native:
        return _point(self._axis, values)


class _LogInteger:
    def __init__(self, axis: Int) -> None:
        self._axis = axis

    def hyperparameter(self, default: Native | None) -> Hyperparameter:
        axis = self._axis
        return UniformIntegerHyperparameter(axis.name, axis.low, axis.high, default, log=True)

    def values(self, native: Native) -> dict[str, Value]:
        return {self._axis.name: min(max(int(native), self._axis.low), self._axis.high)}

    def native(self, values: Mapping[str, Value]) -> Native:
        return _number(values[self._axis.name])


class _Choice:
    def __init__(self, axis: Categorical | ParameterSet) -> None:
        self._axis = axis

    def hyperparameter(self, default: Native | None) -> Hyperparameter:
        return CategoricalHyperparameter(self._axis.name, range(self._axis.size), default or 0)

    def values(self, native: Native) -> dict[str, Value]:
        return self._axis.values_at(int(native))

    def native(self, values: Mapping[str, Value]) -> Native:
        return _point(self._axis, values)


class _Fixed:
    def __init__(self, axis: Parameter) -> None:
        self._axis = axis

    def hyperparameter(self, default: Native | None) -> Hyperparameter:
        return ConfigSpace.Constant(self._axis.name, 0)

    def values(self, native: Native) -> dict[str, Value]:
        return self._axis.values_at(0)

    def native(self, values: Mapping[str, Value]) -> Native:
        return 0


def _point(axis: Parameter, values: Mapping[str, Value]) -> int:
    place = axis.index_of(values)
    assert place is not None, "checked when the configuration was made"
    return place


def _number(value: Value) -> Native:
    assert isinstance(value, int | float), "checked when the configuration was made"
    return value
