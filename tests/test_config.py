"""The configuration file: all its keys, all faults at once, and conversion back."""

from __future__ import annotations

import copy
import datetime
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import Categorical, Float, Int, InvalidInput, StudyConfig
from hpo_core.config import differences, from_json, to_json
from hpo_core.config_file import parse
from hpo_core.misuse import misuses

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent

EVERYTHING = """
name = "digits"
seed = 7
workers = 2
strategy = { name = "optuna:tpe", options = { group = true } }
job_name = "{name}-{lr:.3g}-{job_id}"
tags = ["first", "try"]
max_failures = 3
on_failure = "continue"
durability = "full"
observers = ["mlflow"]
enqueue = [{ lr = 0.01, model = "svm", scaler = "none" }]
forbidden = [{ model = "tree", scaler = "none" }]

[objective]
metric = "validation/accuracy"
direction = "maximize"
value = "best"

[budget]
trials = 30
jobs = 40
iterations = 2000
compute_time = "1h"
wall_time = "10m"
count = "completed"

[job]
command = ["{python}", "train.py", "--lr", "{lr}", "--depth", "{depth}"]
directory = "."
time_limit = "2m"
silence_limit = "30s"
min_iterations = 1
max_iterations = 27
retries = 1
grace = "1.5s"
environment = { OMP_NUM_THREADS = "1" }

[parameters.lr]
type = "float"
low = 1e-4
high = 1e-1
log = true

[parameters.depth]
type = "int"
low = 1
high = 8
when = { model = "tree" }

[parameters.model]
type = "categorical"
choices = ["tree", "svm"]

[parameters.scaler]
type = "categorical"
choices = ["none", "standard"]

[backend]
name = "local"
"""

SMALL: dict[str, Any] = {
    "name": "small",
    "seed": 7,
    "strategy": "random",
    "objective": {"metric": "loss", "direction": "minimize"},
    "budget": {"jobs": 10},
    "job": {"command": ["{python}", "job.py", "{x}"]},
    "parameters": {"x": {"type": "float", "low": -1.0, "high": 1.0}},
}


def config(table: dict[str, Any]) -> StudyConfig:
    """Return the configuration of a table that has no fault."""
    parsed, faults = parse(table, HERE)
    assert faults == []
    assert parsed is not None
    return parsed


def faults(table: dict[str, Any]) -> dict[str, str]:
    """Return the messages of a table's faults by their paths."""
    parsed, found = parse(table, HERE)
    assert parsed is None
    assert found
    assert len({fault.path for fault in found}) == len(found), found
    return {fault.path: fault.message for fault in found}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the small table with one key set, or left out if the value is `...`."""
    table = copy.deepcopy(SMALL)
    *parents, last = path.split(".")
    place = table
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return table


# -- what a file may hold -------------------------------------------------------------------


def test_a_file_with_every_key_is_read_whole() -> None:
    found = config(tomllib.loads(EVERYTHING))
    assert (found.name, found.seed, found.workers) == ("digits", 7, 2)
    assert (found.strategy.name, found.strategy.options) == ("optuna:tpe", {"group": True})
    assert found.backend.name == "local"
    assert (found.tags, found.observers) == (("first", "try"), ("mlflow",))
    assert (found.max_failures, found.durability) == (3, "full")
    assert found.enqueue == ({"lr": 0.01, "model": "svm", "scaler": "none"},)
    (objective,) = found.objectives
    assert (objective.direction, objective.value) == ("maximize", "best")
    assert (found.budget.trials, found.budget.jobs, found.budget.iterations) == (30, 40, 2000)
    assert (found.budget.compute_time, found.budget.wall_time) == (3600.0, 600.0)
    assert found.budget.count == "completed"
    assert (found.job.time_limit, found.job.silence_limit, found.job.grace) == (120.0, 30.0, 1.5)
    assert (found.job.min_iterations, found.job.max_iterations, found.job.retries) == (1, 27, 1)
    assert found.job.directory == str(HERE)
    assert found.space.names == ("lr", "model", "depth", "scaler")
    assert found.space.forbidden == ({"model": "tree", "scaler": "none"},)
    assert found.space.conditions["depth"] == {"model": ("tree",)}


def test_what_is_left_out_has_its_default() -> None:
    found = config(SMALL)
    assert (found.workers, found.backend.name, found.durability) == (1, "local", "normal")
    assert found.job_name == "{name}-{trial_id}"
    assert (found.job.retries, found.job.grace, found.job.time_limit) == (0, 5.0, None)
    assert found.objectives[0].value == "last"


def test_several_objectives_are_a_list_of_tables() -> None:
    both = [SMALL["objective"], {"metric": "seconds", "direction": "minimize"}]
    found = config(changed("objective", both))
    assert [objective.metric for objective in found.objectives] == ["loss", "seconds"]


def test_a_function_stands_in_place_of_a_command() -> None:
    assert config(changed("job", {"function": "train:fit"})).job.function == "train:fit"


def test_the_jobs_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    found, _ = parse(changed("job.directory", "inner"), tmp_path)
    assert found is not None
    assert found.job.directory == str((tmp_path / "inner").resolve())


def test_without_a_seed_one_is_drawn_and_two_studies_do_not_share_it() -> None:
    table = changed("seed", ...)
    assert config(table).seed != config(table).seed


# -- faults ---------------------------------------------------------------------------------


def test_a_number_of_failures_and_none_at_all_contradict_each_other() -> None:
    found = faults({**SMALL, "max_failures": 3, "on_failure": "stop"})
    assert found == {"max_failures": "has no effect if on_failure is 'stop'; leave one out"}


def test_every_fault_of_a_file_is_found_at_once() -> None:
    found = faults(
        {
            "nam": "typo",
            "name": "../evil",
            "seed": "seven",
            "workers": 0,
            "strategy": 3,
            "tags": "one",
            "max_failures": -1,
            "objective": {"metric": "loss", "direction": "minimise"},
            "budget": {"jobs": 6.5, "wall_time": "10 minutes", "trial": 3},
            "job": {"command": ["a", "{X}"], "directory": "nowhere"},
            "parameters": {
                "x": {"type": "flot"},
                "y": {"type": "float", "lo": 1, "high": "a"},
                "z": {"type": "int", "low": 5, "high": 1, "when": {"q": 1}},
            },
            "forbidden": [{"yy": 1}],
            "backend": {"nam": "local"},
        }
    )
    assert set(found) == {
        "nam",
        "name",
        "seed",
        "workers",
        "strategy",
        "tags",
        "max_failures",
        "objective.direction",
        "budget.jobs",
        "budget.wall_time",
        "budget.trial",
        "job.command[1]",
        "job.directory",
        "parameters.x.type",
        "parameters.y.lo",
        "parameters.y.low",
        "parameters.y.high",
        "parameters.z.low",
        "parameters.z.when.q",
        "forbidden[0].yy",
        "backend.nam",
        "backend.name",
    }


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("nam", "name"),
        ("Worker", "workers"),
        ("objective.valu", "value"),
        ("budget.trial", "trials"),
        ("job.time_limits", "time_limit"),
        ("parameters.x.lo", "low"),
        ("strategy.option", "options"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(path: str, nearest: str) -> None:
    table = copy.deepcopy({**SMALL, "strategy": {"name": "random"}})
    place: Any = table
    *parents, last = path.split(".")
    for parent in parents:
        place = place[parent]
    place[last] = 1
    assert f"did you mean {nearest!r}?" in faults(table)[path]


def test_an_unknown_key_that_is_near_to_none_lists_the_known_ones() -> None:
    assert "known: name, seed," in faults(changed("qqqq", 1))["qqqq"]


@pytest.mark.parametrize("word", ["min", "Minimize", "minimise", "", 1, None, "lower"])
def test_a_typing_error_in_the_direction_is_an_error_and_maximises_nothing(word: object) -> None:
    """FACTS: a typing error in the direction silently maximised."""
    found = faults(changed("objective.direction", word))
    assert "'minimize' or 'maximize'" in found["objective.direction"]


@pytest.mark.parametrize("key", ["name", "strategy", "objective", "job", "parameters"])
def test_a_missing_table_says_what_to_write(key: str) -> None:
    assert faults(changed(key, ...))[key].startswith("missing; ")


def test_an_empty_file_lists_all_that_a_study_needs() -> None:
    assert set(faults({})) == {"name", "strategy", "objective", "job", "parameters"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", ""),
        ("name", "../x"),
        ("name", "a/b"),
        ("name", "a\x1b[31m"),
        ("name", ".hidden"),
        ("name", "a" * 101),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 1.5),
        ("seed", True),
        ("workers", 0),
        ("workers", "two"),
        ("max_failures", -1),
        ("on_failure", "halt"),
        ("durability", "some"),
        ("job_name", "{nope}"),
        ("job_name", "{"),
        ("budget", 5),
        ("budget.jobs", 0),
        ("budget.jobs", "10"),
        ("budget.jobs", True),
        ("budget.wall_time", "soon"),
        ("budget.wall_time", -1),
        ("budget.compute_time", math.nan),
        ("job.retries", -1),
        ("job.time_limit", 0),
        ("job.silence_limit", 0),
        ("job.silence_limit", "a while"),
        ("job.min_iterations", 0),
        ("job.directory", "no such folder"),
        ("job.directory", "a\x00b"),
        ("job.directory", "a" * 5000),
        ("job.command", "echo {x}"),
        ("job.environment", {"A": 1}),
        ("objective", []),
        ("objective", 3),
        ("objective.metric", ""),
        ("objective.metric", "half\ud800"),
        ("parameters", 3),
        ("parameters", {}),
        ("parameters.x", 3),
        ("parameters.x.name", "y"),
        ("parameters.x.high", -2.0),
        ("parameters.x.high", math.inf),
        ("strategy", 3),
        ("strategy", {"options": {}}),
        ("backend", ["local"]),
        ("forbidden", {"x": 1}),
        ("enqueue", {"x": 1}),
        ("seed", datetime.date(2026, 1, 1)),
    ],
)
def test_an_unfit_value_is_a_fault_at_its_key(path: str, value: object) -> None:
    assert any(fault.startswith(path.split(".")[0]) for fault in faults(changed(path, value)))


def test_two_objectives_on_one_metric_are_a_fault() -> None:
    assert set(faults(changed("objective", [SMALL["objective"]] * 2))) == {"objective"}


def test_unknown_placeholder_names_the_nearest_parameter() -> None:
    table = changed("job.command", ["{python}", "{xx}"])
    assert "did you mean 'x'?" in faults(table)["job.command[1]"]


def test_a_parameter_with_the_name_of_a_placeholder_is_a_fault() -> None:
    table = changed("parameters.python", {"type": "int", "low": 1, "high": 2})
    assert "has its own meaning" in faults(table)["parameters.python"]


def test_an_enqueued_configuration_is_checked_against_the_space() -> None:
    found = faults(changed("enqueue", [{"x": 0.5}, {"x": 3.0}, {"y": 1}]))
    assert set(found) == {"enqueue[1].x", "enqueue[2].x", "enqueue[2].y"}


# -- fuzz -----------------------------------------------------------------------------------

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["{x}", "{", "1h", "float", "int", "minimize", "x", "a:b", "10m"])
    | st.dates()
)
_ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "name", "type", "low", "when"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return each container and key of a tree."""
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree))
    inner = [tree[key] for key in keys if isinstance(tree[key], dict | list)]
    return [(tree, key) for key in keys] + [place for one in inner for place in places(one)]


@given(st.data())
def test_a_mangled_file_gives_faults_and_never_an_exception(data: st.DataObject) -> None:
    table = tomllib.loads(EVERYTHING)
    for _ in range(data.draw(st.integers(1, 3))):
        tree, key = data.draw(st.sampled_from(places(table)))
        match data.draw(st.sampled_from(["put", "drop", "misspell"])):
            case "put":
                tree[key] = data.draw(_ANYTHING)
            case "drop":
                del tree[key]
            case "misspell" if isinstance(tree, dict):
                tree[data.draw(st.text(max_size=6))] = tree.pop(key)
        if not table:
            break
    parsed, found = parse(table, HERE)
    assert (parsed is None) == bool(found)
    assert all(fault.message and "\n" not in fault.message for fault in found)
    if parsed is not None:
        assert from_json(to_json(parsed)) == parsed


@given(st.dictionaries(st.text(max_size=6), _ANYTHING, max_size=4))
def test_a_table_of_anything_gives_faults(table: dict[str, Any]) -> None:
    parsed, found = parse(table, HERE)
    assert parsed is None
    assert found


# -- in and out of the store ----------------------------------------------------------------


def test_the_stored_configuration_comes_back_the_same() -> None:
    found = config(tomllib.loads(EVERYTHING))
    assert from_json(to_json(found)) == found


def test_values_keep_their_types_from_the_file_to_the_store_and_back() -> None:
    text = """
    [c]
    type = "categorical"
    choices = [1, 1.5, true, "1", "true", 2.0, 9007199254740993]
    [k]
    type = "constant"
    value = 1
    [n]
    type = "int"
    low = 0
    high = 4
    [f]
    type = "float"
    low = 0
    high = 1
    """
    found = from_json(to_json(config({**SMALL, "parameters": tomllib.loads(text), "job": FIT})))
    by_name = found.space.by_name
    axis, number, whole = by_name["c"], by_name["f"], by_name["n"]
    assert isinstance(axis, Categorical)
    assert isinstance(number, Float)
    assert isinstance(whole, Int)
    typed = [(type(value), value) for value in axis.choices]
    assert typed == [
        (int, 1),
        (float, 1.5),
        (bool, True),
        (str, "1"),
        (str, "true"),
        (float, 2.0),
        (int, 9007199254740993),
    ]
    assert (type(number.low), type(whole.low)) == (float, int)


FIT = {"function": "train:fit"}


def test_none_is_a_choice_in_json() -> None:
    parameters = {"c": {"type": "categorical", "choices": [None, "none"]}}
    found = from_json(to_json(config({**SMALL, "parameters": parameters, "job": FIT})))
    axis = found.space.by_name["c"]
    assert isinstance(axis, Categorical)
    assert axis.choices == (None, "none")


def test_rubbish_in_the_store_is_an_error_with_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="stored configuration"):
        from_json("{}")


def test_a_configuration_does_not_differ_from_itself() -> None:
    assert differences(config(SMALL), config(copy.deepcopy(SMALL))) == []


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("budget.jobs", 50, "budget.jobs: 10 -> 50"),
        ("parameters.x.high", 2.0, "parameters.x.high: 1.0 -> 2.0"),
        ("objective.direction", "maximize", 'objectives[0].direction: "minimize" -> "maximize"'),
        ("tags", ["a"], 'tags: [] -> ["a"]'),
        ("strategy", "grid", 'strategy.name: "random" -> "grid"'),
        ("job.environment", {"A": "1"}, 'job.environment.A: (nothing) -> "1"'),
    ],
)
def test_a_difference_is_a_line_with_its_key(path: str, value: object, line: str) -> None:
    assert line in differences(config(SMALL), config(changed(path, value)))


def test_a_value_of_another_type_is_a_difference() -> None:
    def choices(*values: object) -> StudyConfig:
        parameters = {"c": {"type": "categorical", "choices": [*values, "other"]}}
        return config({**SMALL, "parameters": parameters, "job": FIT})

    for one, other in [(1, 1.0), (1, True), ("1", 1)]:
        assert differences(choices(one), choices(other))


def test_a_stored_study_is_read_though_it_would_be_refused_today() -> None:
    table = {
        **SMALL,
        "parameters": {"lr": {"type": "float", "low": 0.0, "high": 1.0}},
        "job": FIT,
    }
    stored = json.loads(to_json(config(table)))
    stored["space"]["forbidden"] = [{"lr": 0.05}]
    (refused,) = misuses(config({**table, "forbidden": [{"lr": 0.05}]}))
    assert "practically never" in str(refused)
    assert from_json(json.dumps(stored)).space.forbidden == ({"lr": 0.05},)
