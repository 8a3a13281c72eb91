"""``hpo jobs --state --where --tag``: jobs by state, numbers and tags; comparisons are no code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]

JOB = """
if [ "$2" = tree ]; then echo "bad tree" >&2; exit 3; fi
echo "{\\"iteration\\": 2, \\"loss\\": $1, \\"val/acc\\": 0.5}" > /dev/fd/$HPO_REPORT_FD
"""

MORE = """
[parameters.kind]
type = "categorical"
choices = ["tree", "line"]

[parameters.is_big]
type = "categorical"
choices = [true, false]

[parameters.depth]
type = "int"
low = 1
high = 9
when = { kind = "tree" }

[parameters.x]"""


@pytest.fixture
def study(write: Any, hpo: Hpo, folder: Path) -> Hpo:
    """Run twelve jobs of which those of kind tree fail."""
    write(
        ('["sh", "job.sh", "{x}"]', '["sh", "job.sh", "{x}", "{kind}", "{is_big}", "{depth}"]'),
        ('grace = "1m"', 'grace = "1m"\ntags = ["{kind}", "{is_big?big:small}"]'),
        ("jobs = 6", "jobs = 12"),
        ("seed = 7", "seed = 7\nmax_failures_at_start = 0"),
        ("[parameters.x]", MORE),
        job=JOB,
    )
    assert hpo("run", "study.toml", "--quiet").status == 0
    return hpo


def listed(hpo: Hpo, *options: str) -> list[str]:
    return [job["id"] for job in hpo("jobs", "small", "--json", *options).json()]


def expected(hpo: Hpo, holds: Callable[[Any], bool]) -> list[str]:
    found = [job["id"] for job in hpo("jobs", "small", "--json").json() if holds(job)]
    assert 0 < len(found) < 12, "or the test shows nothing"
    return found


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        (["--state", "failed"], lambda job: job["state"] == "failed"),
        (["--where", "x < 0.5"], lambda job: job["configuration"]["x"] < 0.5),
        (["--where", "2*x - 1 >= 0"], lambda job: 2 * job["configuration"]["x"] >= 1),
        (["--where", "loss > 0.5"], lambda job: job["metrics"].get("loss", 0) > 0.5),
        (["--where", "val/acc == 0.5"], lambda job: "val/acc" in job["metrics"]),
        (["--where", "depth >= 1"], lambda job: "depth" in job["configuration"]),
        (["--where", "is_big == 1"], lambda job: job["configuration"]["is_big"]),
        (["--where", "trial_id <= 4"], lambda job: job["trial_id"] <= 4),
        (["--where", "iteration == 2"], lambda job: job["iteration"] == 2),
        (["--tag", "big"], lambda job: "big" in job["tags"]),
        (
            ["--state", "completed", "--tag", "line", "--where", "x < 0.9", "--where", "x > 0.1"],
            lambda job: job["state"] == "completed" and 0.1 < job["configuration"]["x"] < 0.9,
        ),
    ],
)
def test_the_jobs_that_are_selected_are_listed(
    study: Hpo, options: list[str], holds: Callable[[Any], bool]
) -> None:
    assert listed(study, *options) == expected(study, holds)


def test_several_states_may_be_given(study: Hpo) -> None:
    assert listed(study, "--state", "failed", "--state", "completed") == listed(study)


def test_the_table_has_the_tags_and_says_when_nothing_is_selected(study: Hpo) -> None:
    header, *rows = study("jobs", "small", "--tag", "big").out.splitlines()
    assert "tags" in header
    assert all("big" in row for row in rows)
    none = study("jobs", "small", "--where", "x > 2")
    assert none.status == 0
    assert "none of the 12 jobs is selected" in none.err


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("x << 1", "--where: expected a number or a name"),
        ("__import__('os').system('true') < 1", "--where: expected one of"),
        ("los < 1", "no parameter, metric or field is named 'los'; did you mean 'loss'?"),
        ("kind == 1", "'kind' has texts as values; only numbers are compared"),
    ],
)
def test_a_comparison_that_is_none_is_refused(study: Hpo, where: str, said: str) -> None:
    ended = study("jobs", "small", "--where", where, "--where", "y < 1")
    assert ended.status == 2
    assert said in ended.err
    if "named" in said:
        assert "'y'" in ended.err, "all faults at once"
