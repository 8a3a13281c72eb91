"""Rustuna's samplers as strategies: parameters reach it as they do Optuna."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import rustuna
from rustuna.trial import TrialState

from hpo_core.plugin import DefineByRunAskTell, Parameter, Problem
from hpo_rustuna.options import Options, check


class Rustuna(DefineByRunAskTell):
    """A sampler of Rustuna, which is asked for the active parameters alone.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range, or an integer exceeds 2^53.
    """

    library = "Rustuna"

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the sampler and a study in memory."""
        sampler = getattr(rustuna.samplers, self.options.sampler)(
            seed=self.problem.seed % 2**32, **msgspec.structs.asdict(self.options)
        )
        self._study = rustuna.create_study(sampler=sampler)

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
        """Add a trial that was enqueued: Rustuna adds only what it has suggested itself."""
        self._study.enqueue_trial(values)
        trial = self._study.ask()
        for axis in axes:
            self.suggested(trial, axis)
        self._study.tell(trial.number, loss)
