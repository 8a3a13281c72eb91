"""Ax's `Client` as a strategy (Olson et al. 2025, AutoML-Conf)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.utils.common.logger import set_stderr_log_level

from hpo_ax.options import Options, check
from hpo_core.plugin import AskTell, Problem

set_stderr_log_level(logging.WARNING)  # Ax logs each trial, among the lines of hpo-core's run


class Candidate(msgspec.Struct, frozen=True):
    """A trial of Ax.

    Attributes:
        index: Its number.
        values: Its parameters.
    """

    index: int
    values: dict[str, Any]


class Ax(AskTell):
    """A client of Ax: numbers are ranges from 0 to 1, choices are categorical.

    Args:
        problem: The study.
        options: The options.

    Raises:
        InvalidInput: If an option is out of its range.
    """

    def __init__(self, problem: Problem, options: Options) -> None:
        check(options)
        super().__init__(problem, options)

    def setup(self, dimensions: int, seed: int) -> None:
        """Create the client."""
        self._names = [f"p{place:04}" for place in range(dimensions)]
        own_seed = self.problem.seed % 2**32
        self._client = Client(random_seed=own_seed)
        self._client.configure_experiment(
            [
                RangeParameterConfig(name=name, bounds=(0.0, 1.0), parameter_type="float")
                if size is None
                else ChoiceParameterConfig(
                    name=name, values=list(range(size)), parameter_type="int", is_ordered=False
                )
                for name, size in zip(self._names, self.cube.choices, strict=True)
            ]
        )
        self._client.configure_optimization(objective="-loss")
        self._client.configure_generation_strategy(
            method=self.options.method,
            initialization_random_seed=own_seed,
            **msgspec.structs.asdict(self.options),
        )

    def suggest(self) -> Candidate | None:
        """Ask for a trial; None if Ax needs results first."""
        found = self._client.get_next_trials(1)
        return next((Candidate(*pair) for pair in found.items()), None)

    def point(self, candidate: Any) -> Sequence[float]:
        """Return the coordinates of a trial."""
        return self.cube.point_of([candidate.values[name] for name in self._names])

    def learn(self, candidate: Any, loss: float) -> None:
        """Complete a trial."""
        self._client.complete_trial(candidate.index, {"loss": loss})

    def failed(self, candidate: Any, worst: float) -> None:
        """Mark a trial as abandoned: Ax suggests failed ones again."""
        self._client.mark_trial_abandoned(candidate.index)

    def foreign(self, point: list[float], loss: float) -> None:
        """Add a completed trial."""
        values = dict(zip(self._names, self.cube.numbered(point), strict=True))
        index = self._client.attach_trial(values)
        self._client.complete_trial(index, {"loss": loss})
