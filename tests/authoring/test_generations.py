"""GenerationAskTell: a generation is suggested one by one, and told at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpo_core.plugin import (
    AskTell,
    Float,
    GenerationAskTell,
    NoOptions,
    Objective,
    Problem,
    Report,
    SearchSpace,
    Start,
    Status,
    Wait,
)
from hpo_core.testing import StrategyContract

PROBLEM = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0),)), objectives=(Objective("loss", "minimize"),), seed=7
)


class Around(GenerationAskTell):
    """Four points around the best one of the last generation."""

    def setup(self, dimensions: int, seed: int) -> None:
        self.middle = np.full(dimensions, 0.5)
        self.width = 1.0
        self.told: list[list[float]] = []

    def generation(self) -> Sequence[Sequence[float]]:
        drawn = self.middle + self.width * (np.random.random((4, len(self.middle))) - 0.5)
        self.points = np.clip(drawn, 0.0, 1.0)
        return list(self.points)

    def advance(self, losses: list[float]) -> None:
        self.told.append(losses)
        self.middle = self.points[int(np.argmin(losses))]
        self.width *= 0.8


class TestContract(StrategyContract):
    capabilities = AskTell.capabilities
    options = NoOptions
    examples = 3
    long_runs = (60,)

    def make_strategy(self, problem: Problem) -> Around:
        return Around(problem)


class Ended(GenerationAskTell):
    """Has no generation."""

    def setup(self, dimensions: int, seed: int) -> None:
        pass

    def generation(self) -> Sequence[Sequence[float]]:
        return []


def end(strategy: Any, trial_id: int, loss: float) -> None:
    job = f"{trial_id}.1"
    strategy.tell(Report(trial_id=trial_id, job_id=job, losses=(loss,), status=Status.COMPLETED))


def test_the_losses_of_a_generation_are_told_at_once_in_its_order() -> None:
    strategy = Around(PROBLEM)
    assert all(isinstance(strategy.ask(trial_id), Start) for trial_id in (1, 2, 3, 4))
    for trial_id in (3, 1, 4):
        end(strategy, trial_id, trial_id / 10)
    assert strategy.told == []
    end(strategy, 2, 0.2)
    assert strategy.told == [[0.1, 0.2, 0.3, 0.4]]


def test_it_waits_until_all_of_a_generation_is_told() -> None:
    strategy = Around(PROBLEM)
    for trial_id in (1, 2, 3, 4):
        strategy.ask(trial_id)
    end(strategy, 1, 0.1)
    assert strategy.ask(5) == Wait()
    for trial_id in (2, 3, 4):
        end(strategy, trial_id, 0.1)
    assert isinstance(strategy.ask(5), Start)


def test_where_the_library_has_no_generation_random_configurations_are_run() -> None:
    assert isinstance(Ended(PROBLEM).ask(1), Start)
