"""DefineByRunAskTell: trials suggest the active parameters one by one, as in Optuna."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hpo_core.plugin import (
    AskTell,
    Categorical,
    Configuration,
    Constant,
    DefineByRunAskTell,
    Float,
    Int,
    InvalidInput,
    NoOptions,
    Objective,
    Parameter,
    ParameterSet,
    Problem,
    Report,
    SearchSpace,
    Start,
    Status,
)
from hpo_core.testing import StrategyContract


class Trial:
    """A trial of a library that draws at random, and notes what it is asked for."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.asked: list[tuple[Any, ...]] = []

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        self.asked.append((name, low, high, step, log))
        if step is not None:
            return low + step * random.randrange(round((high - low) / step) + 1)
        if log:
            return math.exp(random.uniform(math.log(low), math.log(high)))
        return random.uniform(low, high)

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        self.asked.append((name, low, high, step, log))
        return random.randrange(low, high + 1, step)

    def suggest_categorical(self, name: str, choices: Sequence[int]) -> int:
        self.asked.append((name, *choices))
        return random.choice(choices)


class Library(DefineByRunAskTell):
    """A strategy on such trials, which notes what it is told."""

    library = "This library"

    def setup(self, dimensions: int, seed: int) -> None:
        self.trials: list[Trial] = []
        self.told: list[tuple[Any, ...]] = []

    def new_trial(self) -> Trial:
        self.trials.append(Trial(len(self.trials)))
        return self.trials[-1]

    def complete(self, number: int, loss: float) -> None:
        self.told.append((number, loss))

    def fail(self, number: int) -> None:
        self.told.append((number, "failed"))

    def add(self, axes: Sequence[Parameter], values: Mapping[str, Any], loss: float) -> None:
        self.told.append(([axis.name for axis in axes], dict(values), loss))


class TestContract(StrategyContract):
    capabilities = AskTell.capabilities
    options = NoOptions
    examples = 3
    long_runs = (60,)

    def make_strategy(self, problem: Problem) -> Library:
        return Library(problem)


def made(*parameters: Parameter) -> Library:
    space = SearchSpace(parameters)
    return Library(Problem(space=space, objectives=(Objective("loss", "minimize"),), seed=7))


def end(strategy: Library, trial_id: int, loss: float | None) -> None:
    status = Status.FAILED if loss is None else Status.COMPLETED
    losses = None if loss is None else (loss,)
    strategy.tell(Report(trial_id=trial_id, job_id=f"{trial_id}.1", losses=losses, status=status))


SHAPE = ParameterSet("shape", ({"w": 1, "h": 2}, {"w": 2, "h": 1}))


def test_the_library_gets_each_active_parameter_as_it_is() -> None:
    strategy = made(
        Float("rate", 1e-5, 1.0, log=True),
        Float("share", 0.0, 0.95, step=0.25),
        Int("size", 1, 10, step=4),
        Categorical("kind", ("a", "b", "c")),
        SHAPE,
        Constant("fixed", 3),
    )
    answer = strategy.ask(1)
    assert isinstance(answer, Start)
    assert strategy.trials[0].asked == [
        ("rate", 1e-5, 1.0, None, True),
        ("share", 0.0, 0.75, 0.25, False),
        ("size", 1, 9, 4, False),
        ("kind", 0, 1, 2),
        ("shape", 0, 1),
    ]
    assert set(answer.configuration) == {"rate", "share", "size", "kind", "w", "h", "fixed"}


def test_a_parameter_that_is_not_active_does_not_reach_the_library() -> None:
    kinds = Categorical("kind", ("a", "b"))
    children = [Float(f"of_{kind}", 0.0, 1.0, when={"kind": kind}) for kind in ("a", "b")]
    strategy = made(kinds, *children)
    for trial_id in range(1, 11):
        answer = strategy.ask(trial_id)
        assert isinstance(answer, Start)
        asked = {name for name, *_ in strategy.trials[-1].asked}
        assert asked == {"kind", f"of_{answer.configuration['kind']}"}


def test_a_failed_trial_is_told_as_failed_once_there_is_a_loss() -> None:
    strategy = made(Float("x", 0.0, 1.0))
    for trial_id in (1, 2):
        strategy.ask(trial_id)
    end(strategy, 1, None)
    end(strategy, 2, 0.5)
    assert strategy.told == [(1, 0.5), (0, "failed")]


def test_a_configuration_that_was_enqueued_is_added_with_the_librarys_values() -> None:
    strategy = made(Float("x", 0.0, 1.0), Categorical("kind", ("a", "b")), SHAPE, Constant("c", 1))
    strategy.adopt(1, Start(Configuration({"x": 0.25, "kind": "b", "w": 2, "h": 1, "c": 1})))
    end(strategy, 1, 0.5)
    assert strategy.told == [(["x", "kind", "shape"], {"x": 0.25, "kind": 1, "shape": 1}, 0.5)]


def test_integers_that_a_float_cannot_hold_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"parameters\.n: This library keeps integers as floats"):
        made(Int("n", 0, 2**53 + 1))
