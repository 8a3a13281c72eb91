"""`DefineByRunAskTell`: a strategy based on a library whose trials suggest parameters one by one.

Such trials have the methods of Optuna's. They get the active parameters alone, each as it is, so
conditions, steps and logarithmic scales are the library's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from hpo_core.authoring.ask_tell import AskTell
from hpo_core.contracts.strategy import NoOptions, Problem
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.parameters import Float, Int, Parameter
from hpo_core.model.values import Configuration, Value

LARGEST = 2**53
"""The largest integer up to which floats are exact."""


class _Candidate(NamedTuple):
    """A trial of the library: its number, and its configuration."""

    number: int
    configuration: Configuration


class DefineByRunAskTell(AskTell):
    """`AskTell` for a library whose trials suggest parameters one by one, as Optuna's do.

    Override `setup`, `new_trial`, `complete`, `fail` and `add`. Values are those that the library
    suggests, not those of a point of the cube. A parameter with a single value does not reach it.

    Args:
        problem: The problem.
        options: The strategy's options.

    Raises:
        InvalidInput: If an integer exceeds 2^53: such libraries keep integers as floats.
    """

    library: ClassVar[str]
    """The library's name, for messages."""

    def __init__(self, problem: Problem, options: Any = NoOptions()) -> None:  # noqa: B008  # frozen
        wrong = (
            f"{self.library} keeps integers as floats, exact up to 2^53 = {LARGEST}; narrow the "
            "range"
        )
        faults = [
            Fault(f"parameters.{axis.name}", wrong)
            for axis in problem.space.parameters
            if isinstance(axis, Int) and max(abs(axis.low), abs(axis.high)) > LARGEST
        ]
        if faults:
            raise InvalidInput(faults)
        super().__init__(problem, options)

    def new_trial(self) -> Any:
        """Ask the library for a trial.

        It has a `number`, and the methods `suggest_float`, `suggest_int` and `suggest_categorical`
        of Optuna's trials.
        """
        raise NotImplementedError

    def complete(self, number: int, loss: float) -> None:
        """Tell the library the loss of a trial."""
        raise NotImplementedError

    def fail(self, number: int) -> None:
        """Tell the library that a trial has failed."""
        raise NotImplementedError

    def add(self, axes: Sequence[Parameter], values: Mapping[str, Any], loss: float) -> None:
        """Add a completed trial that the library has not suggested.

        Args:
            axes: Its active parameters with more than one value.
            values: By the name of a parameter, the number that its suggestion would return.
            loss: Its loss.
        """
        raise NotImplementedError

    def suggest(self) -> Any:
        """Ask for a trial and its active parameters."""
        trial = self.new_trial()
        configuration = self.problem.space.build(lambda axis: self.suggested(trial, axis))
        return _Candidate(trial.number, configuration)

    def configuration(self, candidate: Any) -> Configuration:
        """Return the configuration of a trial, as it was suggested."""
        configuration: Configuration = candidate.configuration
        return configuration

    def learn(self, candidate: Any, loss: float) -> None:
        """Tell the library the loss of a trial."""
        self.complete(candidate.number, loss)

    def failed(self, candidate: Any, worst: float) -> None:
        """Tell the library that a trial has failed; the worst loss is no result of it."""
        self.fail(candidate.number)

    def foreign(self, point: list[float], loss: float) -> None:
        """Add a trial that was enqueued."""
        configuration = self.cube.configuration(point)
        axes = [axis for axis in self.cube.axes if configuration.keys() >= set(axis.names)]
        values = {axis.name: _native(axis, configuration) for axis in axes}
        self.add(axes, values, loss)

    @staticmethod
    def suggested(trial: Any, axis: Parameter) -> Mapping[str, Value]:
        """Let a trial suggest a parameter, and return its values by name."""
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
                return {
                    axis.name: trial.suggest_int(axis.name, axis.low, high, step=step, log=axis.log)
                }
            case _:
                return axis.values_at(
                    int(trial.suggest_categorical(axis.name, range(axis.size or 0)))
                )


def _native(axis: Parameter, values: Mapping[str, Value]) -> Any:
    return values[axis.name] if isinstance(axis, Float | Int) else axis.index_of(values)
