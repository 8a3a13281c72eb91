"""Parameters as Optuna sees them, and their values there and back.

Categoricals and sets are the numbers of their choices there, since to Optuna 1, 1.0 and True are
one choice. Constants do not reach it. A stepped Float's value is Optuna's own sum, which may be
a last digit off: a configuration has the exact one, and `Start.notes` keeps Optuna's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpo_core.plugin import Constant, Fault, Float, Int, InvalidInput, Parameter, SearchSpace, Value

Native: TypeAlias = int | float
"""A parameter's value as Optuna has it: a number, or the number of a choice."""

LARGEST = 2**53
"""Optuna keeps integers as floats, which are exact up to here."""


def check(space: SearchSpace) -> None:
    """Refuse what Optuna can't represent.

    Raises:
        InvalidInput: For integers beyond 2^53.
    """
    faults = [
        Fault(
            f"parameters.{axis.name}",
            f"Optuna keeps integers as floats, exact up to 2^53 = {LARGEST}; narrow the range",
        )
        for axis in space.parameters
        if isinstance(axis, Int) and max(abs(axis.low), abs(axis.high)) > LARGEST
    ]
    if faults:
        raise InvalidInput(faults)


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return a distribution for each parameter but the constants, in the space's order."""
    return {
        axis.name: distribution_of(axis) for axis in space.ordered if not isinstance(axis, Constant)
    }


def distribution_of(axis: Parameter) -> BaseDistribution:
    """Return a parameter's distribution; that of choices is over their numbers."""
    match axis:
        case Float():
            return FloatDistribution(axis.low, _high(axis), log=axis.log, step=axis.step)
        case Int():
            return IntDistribution(axis.low, _whole_high(axis), log=axis.log, step=axis.step or 1)
        case _:
            return CategoricalDistribution(range(axis.size or 0))


def suggest(trial: optuna.Trial, axis: Parameter) -> Native:
    """Let Optuna suggest the value of any parameter but a constant."""
    match axis:
        case Float():
            high = _high(axis)
            return float(
                trial.suggest_float(axis.name, axis.low, high, log=axis.log, step=axis.step)
            )
        case Int():
            high = _whole_high(axis)
            return trial.suggest_int(axis.name, axis.low, high, log=axis.log, step=axis.step or 1)
        case _:
            return trial.suggest_categorical(axis.name, range(axis.size or 0))


def values_of(axis: Parameter, native: Native) -> dict[str, Value]:
    """Return what a configuration has for Optuna's value, by name."""
    match axis:
        case Float(step=None):
            return {axis.name: min(max(float(native), axis.low), axis.high)}
        case Float():
            return axis.values_at(axis.index(float(native)))
        case Int():
            return {axis.name: int(native)}
        case _:
            return axis.values_at(int(native))


def natives(space: SearchSpace, values: Mapping[str, Value]) -> dict[str, Native]:
    """Return a configuration as Optuna has it, in the space's order."""
    return {axis.name: native_of(axis, values) for axis in active(space, values)}


def native_of(axis: Parameter, values: Mapping[str, Value]) -> Native:
    """Return what Optuna has for a parameter's values."""
    native = values[axis.name] if isinstance(axis, Float | Int) else axis.index_of(values)
    assert isinstance(native, int | float), "checked when the configuration was made"
    return native


def active(space: SearchSpace, values: Mapping[str, Value]) -> Iterator[Parameter]:
    """Yield the parameters that reach Optuna for a configuration, in the space's order."""
    for axis in space.ordered:
        if not isinstance(axis, Constant) and all(name in values for name in axis.names):
            yield axis


def _high(axis: Float) -> float:
    """The greatest value that the steps reach; Optuna would warn of any other."""
    return axis.high if axis.step is None else axis.at((axis.size or 1) - 1)


def _whole_high(axis: Int) -> int:
    return axis.at(axis.size - 1)
