"""Settings without an effect: an error in a new study, a warning in a stored one."""

import copy
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hpo_core import HyperParameterOptimizer, InvalidInput, StudyConfig
from hpo_core.config import to_json
from hpo_core.config_file import parse
from hpo_core.controller.dry_run import try_once
from hpo_core.errors import StudyFailed
from hpo_core.misuse import misuses
from hpo_core.store.store import Store

FLOAT = {"type": "float", "low": 0, "high": 1}
MODEL = {"type": "categorical", "choices": ["tree", "net"]}
STUDY: dict[str, Any] = {
    "name": "s",
    "seed": 1,
    "strategy": "random",
    "objective": {"metric": "loss", "direction": "minimize"},
    "budget": {"jobs": 1},
    "job": {"command": ["true", "{x}"]},
    "parameters": {"x": FLOAT},
}


def config(**changes: Any) -> StudyConfig:
    """Return the configuration of STUDY with some of its tables extended or replaced."""
    table = copy.deepcopy(STUDY)
    for key, value in changes.items():
        is_extended = isinstance(value, dict) and key in table
        table[key] = {**table[key], **value} if is_extended else value
    found, faults = parse(table, Path(__file__).parent)
    assert found is not None, faults
    return found


def said(**changes: Any) -> list[str]:
    return list(map(str, misuses(config(**changes))))


def test_a_study_in_order_has_none() -> None:
    assert said() == []


# -- parameters that reach no job -----------------------------------------------------------


def test_a_parameter_that_the_command_leaves_out_is_named_with_the_ways_out() -> None:
    assert said(parameters={"momentum": FLOAT}) == [
        "parameters.momentum: the command gets x, but not momentum, which would have no "
        "effect: write {momentum} in job.command or job.environment, or set "
        "job.reads_configuration = true if the program reads HPO_CONFIGURATION"
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"job": {"command": ["true"]}},
        {"job": {"command": ["true", "{x}"], "reads_configuration": True}},
        {"job": {"command": ["true", "{x}", "--{momentum:.3g}"]}},
        {"job": {"command": ["true", "{x}"], "environment": {"M": "{momentum}"}}},
        {"parameters": {"momentum": {"type": "constant", "value": 0.9}}},
    ],
    ids=["names none", "reads the configuration", "argument", "environment", "constant"],
)
def test_it_is_in_order_if(changes: dict[str, Any]) -> None:
    parameters = {"momentum": FLOAT, **changes.get("parameters", {})}
    assert said(**{**changes, "parameters": parameters}) == []


def test_the_parent_of_a_condition_counts_as_named_and_so_does_a_flag() -> None:
    flag = {"type": "categorical", "choices": [True, False]}
    child = {**FLOAT, "when": {"flag": True}}
    assert said(parameters={"flag": flag, "x": child}) == []
    command = ["true", "{x}", "{flag?--flag:}"]
    assert said(job={"command": command}, parameters={"flag": flag}) == []


def test_each_member_of_a_set_has_to_be_named() -> None:
    size = {"type": "set", "combinations": [{"w": 1, "h": 1}, {"w": 2, "h": 1}]}
    job = {"command": ["true", "{x}", "{w}"]}
    (fault,) = said(parameters={"size": size}, job=job)
    assert fault.startswith("parameters.size: the command gets w, x, but not h, which")


def test_a_function_gets_every_parameter(tmp_path: Path) -> None:
    job = {"function": "train:fit", "environment": {}}
    table = {**STUDY, "job": job, "parameters": {"x": FLOAT, "y": FLOAT}}
    found, _ = parse(table, tmp_path)
    assert found is not None
    assert misuses(found) == []


# -- the others -----------------------------------------------------------------------------


def test_a_metric_with_the_name_of_a_report_s_iteration_can_not_be_reported() -> None:
    why = "no job can report a metric 'iteration'"
    (one,) = said(objective={"metric": "iteration"})
    assert one.startswith(f"objective.metric: {why}")
    (one,) = said(constraints=["memory", "iteration"])
    assert one.startswith(f"constraints[1].metric: {why}")
    loss = STUDY["objective"]
    (one,) = said(objective=[loss, {**loss, "metric": "iteration"}])
    assert one.startswith(f"objective[1].metric: {why}")


def test_a_format_for_no_value_of_its_parameter_is_told_where_it_stands() -> None:
    for changes, place in (
        ({"job": {"command": ["true", "{x:d}"]}}, "job.command[1]"),
        ({"job_name": "{x:d}"}, "job_name"),
    ):
        (fault,) = said(**changes)
        assert fault.startswith(f"{place}: the format 'd' applies to no value of x")


def test_a_parameter_called_name_is_not_what_name_means_in_a_job_s_name() -> None:
    parameters = {"name": MODEL}
    job = {"command": ["true", "{x}", "{name}"]}
    (fault,) = said(parameters=parameters, job=job)
    assert fault == (
        "parameters.name: {name} in job_name is the study's name, not this parameter; rename the "
        "parameter, or give a job_name without it"
    )
    assert said(parameters=parameters, job=job, job_name="{trial_id}") == []


def test_defaults_that_are_forbidden_together_are_an_error_if_they_were_given() -> None:
    job = {"command": ["true", "{x}", "{model}", "{n}"]}
    numbers = {"type": "int", "low": 1, "high": 4, "default": 4}
    parameters = {"model": MODEL, "n": numbers}
    clash = [{"model": "tree", "n": [3, 4]}]
    assert said(parameters=parameters, job=job, forbidden=clash) == [
        "parameters.n.default: the combination model = tree, n = 4 of the default values is "
        "forbidden; give other defaults"
    ]
    parameters["n"] = {"type": "int", "low": 3, "high": 4}
    assert said(parameters=parameters, job=job, forbidden=clash) == []


# -- when it is an error --------------------------------------------------------------------

WRONG = {"parameters": {"momentum": FLOAT}}


def test_a_new_study_is_refused_and_leaves_nothing_in_its_store(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    with pytest.raises(InvalidInput, match=r"parameters\.momentum: the command gets x"):
        HyperParameterOptimizer(config(**WRONG), store=store)
    with Store(store) as opened:
        assert opened.studies() == []


def test_all_faults_of_a_file_are_reported_at_once() -> None:
    table = {**copy.deepcopy(STUDY), "workers": "two"}
    table["parameters"]["momentum"] = FLOAT
    _, faults = parse(table, Path(__file__).parent)
    assert [fault.path for fault in faults] == ["workers", "parameters.momentum"]


def test_stored_study_continues_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / "hpo.db"
    wrong = config(**WRONG)
    with Store(store) as opened:
        opened.create("s", to_json(wrong), {}, 0.0)
    with caplog.at_level(logging.WARNING), HyperParameterOptimizer(wrong, store=store):
        assert "parameters.momentum: the command gets x, but not momentum" in caplog.text
    job = msgspec.structs.replace(wrong.job, reads_configuration=True)
    caplog.clear()
    allowed = msgspec.structs.replace(wrong, job=job)
    with caplog.at_level(logging.WARNING), HyperParameterOptimizer(allowed, store=store):
        assert caplog.text == ""


@pytest.mark.parametrize(("iterations", "is_said"), [(9, False), (8, True)])
def test_a_budget_that_ends_before_any_trial_does_is_told_before_it_is_spent(
    iterations: int, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    short = config(budget={"iterations": iterations}, job={"max_iterations": 9})
    with caplog.at_level(logging.WARNING), HyperParameterOptimizer(short) as optimizer:
        optimizer.run()
        assert ("the budget of 8 iterations ends before one trial has trained" in caplog.text) is (
            is_said
        )
    caplog.clear()
    try_once(short)
    assert ("ends before one trial has trained to max_iterations, 9" in caplog.text) is is_said


@pytest.mark.parametrize(("jobs", "is_said"), [(9, False), (8, True)])
def test_a_budget_of_jobs_that_completes_no_trial_is_told_before_it_is_spent(
    jobs: int, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    short = config(strategy="asha", budget={"jobs": jobs}, job={"max_iterations": 9})
    with caplog.at_level(logging.WARNING), HyperParameterOptimizer(short) as optimizer:
        with pytest.raises(StudyFailed, match="it never reported the metric 'loss'"):
            optimizer.run()
        assert (
            "the budget of 8 jobs ends before one trial has trained to max_iterations, 9: the "
            "strategy 'asha' trains a trial in several jobs, and takes 9 or more" in caplog.text
        ) is is_said
    caplog.clear()
    try_once(short)
    assert caplog.text.count("ends before one trial has trained") == is_said


@pytest.mark.parametrize(("workers", "is_said"), [(1, False), (2, True)])
def test_workers_that_a_backend_can_not_use_are_told(
    workers: int, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    job = {"command": None, "function": "here:there"}
    inline = config(job=job, backend="inline", workers=workers)
    with caplog.at_level(logging.WARNING), HyperParameterOptimizer(inline, function=abs):
        assert ("workers is 2, but the backend 'inline' runs 1 job at a time" in caplog.text) is (
            is_said
        )
