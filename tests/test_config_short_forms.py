"""A configuration in Python accepts the short forms of a study file."""

from __future__ import annotations

from typing import Any

import pytest

from hpo_core import (
    Budget,
    Constraint,
    Float,
    HyperParameterOptimizer,
    InvalidInput,
    Objective,
    SearchSpace,
    StudyConfig,
)
from hpo_core.plugin import JobSettings, PluginChoice

X = Float("x", 0.0, 1.0)
LOSS = Objective("loss", "minimize")


def config(**changes: Any) -> StudyConfig:
    given: dict[str, Any] = {
        "name": "short",
        "seed": 7,
        "strategy": "random",
        "objectives": LOSS,
        "constraints": ["memory", Constraint("time", 3.0)],
        "budget": {"jobs": 3},
        "job": JobSettings(function="math:fabs", time_limit="2m"),  # type: ignore[arg-type]
        "space": [X],
        "backend": "inline",
    }
    return StudyConfig(**{**given, **changes})


def test_short_forms_are_what_they_stand_for() -> None:
    made = config()
    assert made.strategy == PluginChoice("random")
    assert made.backend == PluginChoice("inline")
    assert made.objectives == (LOSS,)
    assert made.constraints == (Constraint("memory"), Constraint("time", 3.0))
    assert made.space == SearchSpace((X,))
    assert made.budget == Budget(jobs=3)
    assert made.job.time_limit == 120.0


def test_a_budget_takes_durations() -> None:
    assert Budget(wall_time="1h30m").wall_time == 5400.0  # type: ignore[arg-type]


def test_it_runs() -> None:
    with HyperParameterOptimizer(
        config(constraints=()), function=lambda configuration: configuration["x"]
    ) as optimizer:
        assert len(optimizer.run().trials) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strategy": 7}, "strategy: expected a PluginChoice, got 7"),
        ({"constraints": [""]}, "constraints.metric: name the metric"),
        ({"space": [X, X]}, "space.parameters.x: the name 'x' is used twice"),
    ],
)
def test_what_stands_for_nothing_is_a_fault_with_its_field(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        config(**changes)
    assert str(caught.value).startswith(said)


def test_invalid_duration_is_a_fault() -> None:
    with pytest.raises(InvalidInput, match="wall_time: expected seconds or a duration"):
        Budget(wall_time="soon")  # type: ignore[arg-type]
