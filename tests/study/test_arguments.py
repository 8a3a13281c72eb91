"""Errors in the arguments of `optimize` and `Study` use the terms of Python."""

from __future__ import annotations

from typing import Any

import pytest

from hpo_core import (
    Budget,
    Configuration,
    Constraint,
    Float,
    HyperParameterOptimizer,
    InvalidInput,
    Objective,
    SearchSpace,
    Study,
    StudyConfig,
    optimize,
)
from hpo_core.errors import StrategyError
from hpo_core.plugin import BaseStrategy, JobSettings, PluginChoice, Start

X = Float("x", 0, 1)
LOSS = Objective("loss", "minimize")


class Mine(BaseStrategy):
    def ask(self, trial_id: int, /) -> Start:
        return Start(Configuration({"x": trial_id / 10}))


def loss(configuration: Any) -> float:
    return float(configuration["x"])


def refusal(**changes: Any) -> str:
    given = {"function": loss, "parameters": [X], "objective": LOSS, "budget": Budget(jobs=1)}
    with pytest.raises(InvalidInput) as caught:
        Study(**{**given, **changes})
    return str(caught.value)


@pytest.mark.parametrize(
    ("strategy", "options", "settings", "said"),
    [
        ("grid", {"points": -1}, {}, "options.points: must be 1 or more, got -1"),
        ("optuna:cmaes", {"popsize": -1}, {}, "options.popsize: must be 2 or more, got -1"),
        ("asha", {"eta": 1}, {"max_iterations": 9}, "options.eta: must be 2 or more, got 1"),
        ("asha", {}, {}, "max_iterations: missing: the last rung lies there"),
    ],
)
def test_faults_found_by_a_plugin_name_the_argument(
    strategy: str, options: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    study = Study(
        function=loss,
        parameters=[X],
        objective=LOSS,
        strategy=strategy,
        options=options,
        **settings,
    )
    for call in (study.check, study.run):
        with pytest.raises(InvalidInput) as caught:
            call()
        assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"budget": 3}, "budget: expected a Budget, got 3; did you mean Budget(jobs=3)?"),
        ({"budget": "3"}, "budget: expected a Budget, such as Budget(jobs=30)"),
        ({"job": "train.py"}, "job: expected a JobSettings, got 'train.py'"),
        ({"space": 3}, "space: expected a SearchSpace, got 3"),
    ],
)
def test_a_configuration_made_in_python_names_its_types(given: dict[str, Any], said: str) -> None:
    job = JobSettings(command=("true",))
    fields = {"name": "a", "seed": 1, "strategy": "random", "objectives": LOSS, "job": job}
    with pytest.raises(InvalidInput) as caught:
        StudyConfig(**{**fields, "space": [X], **given})
    assert str(caught.value).startswith(said)


def test_a_metrics_name_with_a_direction_is_an_objective() -> None:
    result = optimize(
        loss, [X], objective="loss", direction="minimize", budget=Budget(jobs=2), backend="inline"
    )
    assert len(result.trials) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objective": "loss"}, "direction: missing; give 'minimize' or 'maximize'"),
        ({"direction": "minimize"}, "direction: the objective has its own; leave this out"),
        ({"objective": "loss", "direction": "min"}, "direction: expected 'minimize' or 'maximize'"),
        ({"objective": ("loss", "minimize")}, "objective='loss', direction='minimize'"),
        ({"objective": None}, "objective: expected a metric's name"),
        ({"budget": 3}, "budget: expected a Budget, got 3; did you mean Budget(jobs=3)?"),
        ({"budget": "1h"}, "budget: expected a Budget, such as Budget(jobs=30)"),
        ({"strategy": Mine}, "strategy: expected an instance, got the class Mine; write Mine(...)"),
        ({"strategy": 3}, "strategy: expected a name, such as 'random', or a strategy instance"),
        ({"strategy": Mine(), "options": {"a": 1}}, "options: are for a strategy that is given by"),
        ({"options": {"a": 1}}, "options.a: unknown key"),
        ({"observers": "mlflow"}, "observers: expected a list; write ['mlflow']"),
        ({"observers": [Mine]}, "observers[0]: expected an instance, got the class Mine; write"),
        (
            {"observers": [3]},
            "observers[0]: expected an object with a method observe(event), or a plugin",
        ),
        ({"parameters": X}, "parameters: expected a list of parameters; write [Float('x', ...)]"),
        (
            {"parameters": {"x": (0, 1)}},
            "parameters: expected a list of parameters, such as [Float",
        ),
        ({"parameters": [("x", 0, 1)]}, "parameters[0]: expected a parameter, such as Float("),
        ({"parameters": [Float]}, "parameters[0]: expected a parameter, such as Float("),
        ({"constraints": "mem"}, "constraints: expected a list; write ['mem']"),
        ({"constraints": Constraint("mem", 1)}, "constraints: expected a list; write [Constraint("),
        ({"constraints": [("mem", 1)]}, "constraints[0]: expected a metric's name or a Constraint"),
        ({"backend": 3}, "backend: expected a name, such as 'local', got 3"),
        ({"enqueue": {"x": 1.0}}, "enqueue: expected a list of configurations; write [{'x': 1.0}]"),
        ({"enqueue": [1]}, "enqueue[0]: expected a configuration"),
        ({"function": 0.3}, "function: expected a function, got 0.3"),
        ({"function": "f"}, "function: expected 'module:name'"),
        ({"max_iterations": 0}, "max_iterations: 0 is below min_iterations"),
    ],
)
def test_a_wrong_argument_is_named_with_what_to_write(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(**changes)


def test_all_wrong_arguments_are_told_at_once() -> None:
    told = refusal(budget=3, strategy=Mine, observers="mlflow").splitlines()
    assert [line.partition(":")[0] for line in told] == ["budget", "strategy", "observers"]


# -- the controller alone -------------------------------------------------------------------

CONFIG = StudyConfig(
    name="s",
    seed=1,
    strategy=PluginChoice("random"),
    objectives=(LOSS,),
    space=SearchSpace((X,)),
    job=JobSettings(function="module:loss"),
    backend=PluginChoice("inline"),
    budget=Budget(jobs=1),
)


def test_a_class_in_place_of_a_strategy_is_named() -> None:
    with pytest.raises(StrategyError, match=r"is the class Mine, .* write Mine\(\.\.\.\)"):
        HyperParameterOptimizer(CONFIG, strategy=Mine)  # type: ignore[arg-type]


def test_what_can_observe_nothing_is_refused_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"observers\[0\]: expected an object with a method"):
        HyperParameterOptimizer(CONFIG, observers=["mlflow"])  # type: ignore[list-item]


def test_what_can_not_be_called_when_a_job_has_finished_is_refused_at_once() -> None:
    with (
        HyperParameterOptimizer(CONFIG, function=loss) as optimizer,
        pytest.raises(InvalidInput, match="on_job_finished: expected a function, got 3"),
    ):
        optimizer.run(3)  # type: ignore[arg-type]
