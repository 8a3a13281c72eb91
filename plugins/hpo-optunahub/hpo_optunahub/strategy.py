"""A sampler of OptunaHub as a strategy: parameters reach it as they do in Optuna."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from hpo_core.plugin import DefineByRunAskTell, Float, Int, Parameter, Problem
from hpo_optunahub.loading import load_sampler
from hpo_optunahub.options import Options, check


class OptunaHub(DefineByRunAskTell):
    """A sampler of the hub, which is asked for the active parameters alone.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If the options are invalid, the code is missing, or an integer exceeds 2^53.
    """

    library = "Optuna"

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the sampler and a study in memory."""
        sampler = load_sampler(self.options, self.problem.seed % 2**32)
        with _quiet():
            self._study = optuna.create_study(sampler=sampler)

    def new_trial(self) -> Any:
        """Ask for a trial."""
        return self._study.ask()

    def complete(self, number: int, loss: float) -> None:
        """Tell the loss of a trial."""
        self._study.tell(number, loss)

    def fail(self, number: int) -> None:
        """Tell that a trial has failed."""
        self._study.tell(number, state=TrialState.FAIL)

    def add(self, axes: Sequence[Parameter], values: Mapping[str, Any], loss: float) -> None:
        """Add a trial that was enqueued."""
        distributions = {axis.name: _distribution(axis) for axis in axes}
        self._study.add_trial(
            optuna.create_trial(params=dict(values), distributions=distributions, value=loss)
        )


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


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's notice of a new study back; the user's log level stays."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
