"""The keys for reading a job's metrics: faults are reported before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpo_core.config_file import parse
from hpo_core.controller.strategy.build import work_of
from hpo_core.misuse import misuses

PATTERN = r"loss=([0-9.]+)"
STUDY: dict[str, Any] = {
    "name": "s",
    "seed": 1,
    "strategy": "random",
    "objective": {"metric": "loss", "direction": "minimize"},
    "parameters": {"x": {"type": "float", "low": 0, "high": 1}},
}


def faults(workers: int = 1, **job: Any) -> list[str]:
    """Return all that is wrong with a study of such jobs."""
    table = {**STUDY, "workers": workers, "job": {"command": ["true", "{x}"], **job}}
    config, found = parse(table, Path(__file__).parent)
    return list(map(str, found if config is None else misuses(config)))


@pytest.mark.parametrize(
    "job",
    [
        {"metrics": {"loss": PATTERN}},
        {"metrics": {"loss": PATTERN, "other": r"(?:a|b)=(?P<value>\d+)"}, "iteration": r"(\d+)/"},
        {"metrics_file": "m.csv"},
        {"metrics_file": "{checkpoint_dir}/m.csv", "iteration": "epoch", "workers": 2},
        {"metrics_file": "m-{trial_id}.csv", "metrics": {"loss": "val (loss"}, "workers": 2},
    ],
)
def test_it_is_in_order(job: dict[str, Any]) -> None:
    assert faults(**job) == []


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"metrics": {"loss": "("}}, "job.metrics.loss: is no regular expression of Python's: "),
        ({"metrics": {"loss": r"\d+"}}, r"job.metrics.loss: has no group, in '\d+'; put par"),
        ({"metrics": {"loss": "(a)(b)"}}, "job.metrics.loss: has 2 groups, in '(a)(b)'; keep"),
        ({"metrics": {"loss": PATTERN}, "iteration": "x"}, "job.iteration: has no group, in 'x'"),
        ({"iteration": "(x)"}, "job.iteration: is read with metrics; give the table [job.metr"),
        ({"metrics": {"los": PATTERN}}, "job.metrics: lacks 'loss', which the study needs; did"),
        ({"metrics": {"iteration": PATTERN, "loss": PATTERN}}, "job.metrics.iteration: is how far"),
        ({"metrics_file": ""}, "job.metrics_file: is empty"),
        ({"metrics_file": "{nothing}.csv"}, "job.metrics_file: "),
        ({"metrics_file": "m.csv", "workers": 2}, "job.metrics_file: is one file for all jobs, an"),
        ({"metrics_file": "m-{x}.csv", "workers": 2}, "job.metrics_file: is one file for all jobs"),
    ],
)
def test_what_is_wrong_is_told(job: dict[str, Any], said: str) -> None:
    (only,) = faults(**job)
    assert only.startswith(said)


def test_python_prints_at_once_where_its_output_is_read() -> None:
    def environment(**job: Any) -> dict[str, str]:
        table = {**STUDY, "job": {"command": ["true", "{x}"], **job}}
        config, _ = parse(table, Path(__file__).parent)
        assert config is not None
        return dict(work_of(config).environment)

    metrics = {"loss": PATTERN}
    assert environment() == {}
    assert environment(metrics=metrics) == {"PYTHONUNBUFFERED": "1"}
    own = {"PYTHONUNBUFFERED": ""}
    assert environment(metrics=metrics, environment=own) == own
