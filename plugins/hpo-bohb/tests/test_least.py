"""How many jobs it takes until a first trial has trained to its end, as announced and as it is."""

from __future__ import annotations

from importlib.metadata import entry_points
from itertools import count
from typing import Any

import msgspec
import pytest

from hpo_core.plugin import (
    Decision,
    Float,
    Objective,
    Problem,
    Report,
    SearchSpace,
    Start,
    Status,
    Strategy,
)


def played(strategy: Strategy, most: int) -> int:
    """Return how many jobs run, one at a time, until one of them trains to the end."""
    trials = 0
    for number in count(1):
        answer = strategy.ask(trials + 1)
        trials += isinstance(answer, Start)
        trial = getattr(answer, "trial_id", trials)
        target = getattr(answer, "iterations", None) or most
        if target >= most:
            return number
        report = Report(
            trial_id=trial, job_id=f"{trial}.{number}", iteration=target, losses=(1.0 / trial,)
        )
        paused = strategy.tell(report) is Decision.PAUSE
        status = Status.PAUSED if paused else Status.COMPLETED
        strategy.tell(msgspec.structs.replace(report, status=status))
    raise AssertionError


def announced_and_played(name: str, options: dict[str, Any], most: int) -> tuple[int, int]:
    problem = Problem(
        space=SearchSpace((Float("x", 0.0, 1.0),)),
        objectives=(Objective("loss", "minimize"),),
        seed=1,
        max_iterations=most,
    )
    (entry,) = entry_points(group="hpo_core", name=name.partition(":")[0])
    [spec] = [spec for spec in entry.load().hpo_strategies() if spec.name == name]
    given = msgspec.convert(options, spec.options)
    assert spec.jobs_to_complete is not None
    announced = spec.jobs_to_complete(problem, given)
    return announced, played(spec.build(problem, given), most)


@pytest.mark.parametrize("most", [1, 2, 9, 20, 27, 81])
@pytest.mark.parametrize("eta", [2, 3, 4])
@pytest.mark.parametrize("name", ["bohb", "bohb:hyperband", "bohb:random"])
def test_it_takes_as_many_jobs_as_announced(name: str, eta: int, most: int) -> None:
    announced, needed = announced_and_played(name, {"eta": eta}, most)
    assert announced == needed
