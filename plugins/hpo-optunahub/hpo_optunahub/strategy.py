"""A sampler of OptunaHub as a strategy: parameters reach it as they do in Optuna."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from hpo_core.plugin import (
    AskTell,
    Configuration,
    Fault,
    Float,
    Int,
    InvalidInput,
    Parameter,
    Problem,
    Value,
)
from hpo_optunahub.loading import load_sampler
from hpo_optunahub.options import Options, check

LARGEST = 2**53
"""Optuna keeps integers as floats, which are exact up to here."""


class Candidate(NamedTuple):
    """A trial of Optuna.

    Attributes:
        number: Its number.
        configuration: Its configuration.
    """

    number: int
    configuration: Configuration


class OptunaHub(AskTell):
    """A sampler of the hub, which is asked for the active parameters alone.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If the options are invalid, the code is missing, or an integer exceeds 2^53.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        faults = [
            Fault(
                f"parameters.{axis.name}",
                f"Optuna keeps integers as floats, exact up to 2^53 = {LARGEST}; narrow the range",
            )
            for axis in problem.space.parameters
            if isinstance(axis, Int) and max(abs(axis.low), abs(axis.high)) > LARGEST
        ]
        if faults:
            raise InvalidInput(faults)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the sampler and a study in memory."""
        sampler = load_sampler(self.options, self.problem.seed % 2**32)
        with _quiet():
            self._study = optuna.create_study(sampler=sampler)

    def suggest(self) -> Candidate:
        """Ask for a trial and its active parameters."""
        trial = self._study.ask()
        configuration = self.problem.space.build(lambda axis: _suggested(trial, axis))
        return Candidate(trial.number, configuration)

    def configuration(self, candidate: Any) -> Configuration:
        """Return the configuration of a trial, as it was suggested."""
        configuration: Configuration = candidate.configuration
        return configuration

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the loss of a trial."""
        self._study.tell(candidate.number, loss)

    def failed(self, candidate: Any, worst: float) -> None:
        """Tell that a trial has failed."""
        self._study.tell(candidate.number, state=TrialState.FAIL)

    def foreign(self, point: list[float], loss: float) -> None:
        """Add a trial that was enqueued."""
        values = self.cube.configuration(point)
        axes = [
            axis
            for axis in self.problem.space.ordered
            if axis.size != 1 and values.keys() >= set(axis.names)
        ]
        self._study.add_trial(
            optuna.create_trial(
                params={axis.name: _native(axis, values) for axis in axes},
                distributions={axis.name: _distribution(axis) for axis in axes},
                value=loss,
            )
        )


def _suggested(trial: Any, axis: Parameter) -> Mapping[str, Value]:
    """Let the sampler suggest a parameter; one with a single value does not reach it."""
    match axis:
        case _ if axis.size == 1:
            return axis.values_at(0)
        case Float(step=None):
            value = trial.suggest_float(axis.name, axis.low, axis.high, log=axis.log)
            return {axis.name: min(max(value, axis.low), axis.high)}
        case Float():
            high = axis.at((axis.size or 1) - 1)
            value = trial.suggest_float(axis.name, axis.low, high, step=axis.step)
            return axis.values_at(axis.index(value))
        case Int():
            high, step = axis.at(axis.size - 1), axis.step or 1
            value = trial.suggest_int(axis.name, axis.low, high, step=step, log=axis.log)
            return {axis.name: value}
        case _:
            return axis.values_at(trial.suggest_categorical(axis.name, range(axis.size or 0)))


def _distribution(axis: Parameter) -> BaseDistribution:
    match axis:
        case Float():
            high = axis.high if axis.step is None else axis.at((axis.size or 1) - 1)
            return FloatDistribution(axis.low, high, log=axis.log, step=axis.step)
        case Int():
            high = axis.at(axis.size - 1)
            return IntDistribution(axis.low, high, log=axis.log, step=axis.step or 1)
        case _:
            return CategoricalDistribution(range(axis.size or 0))


def _native(axis: Parameter, values: Mapping[str, Value]) -> Any:
    return values[axis.name] if isinstance(axis, Float | Int) else axis.index_of(values)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's notice of a new study back; the user's log level stays."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
