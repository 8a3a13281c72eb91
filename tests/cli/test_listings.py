"""``hpo studies``, ``show``, ``top``, ``jobs``, ``log`` and ``export``: tables and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hpo = Callable[..., Any]
Write = Callable[..., None]


def test_studies_lists_each_with_its_state_and_best(small: Hpo) -> None:
    header, row = small("studies").out.splitlines()
    cells = dict(zip(header.split(), row.split(), strict=False))
    assert (cells["name"], cells["state"], cells["completed"]) == ("small", "finished", "6")


def test_show_has_the_state_each_limit_and_the_best(small: Hpo) -> None:
    out = small("show", "small").out
    assert "state         finished: all 6 jobs of its budget have run" in out
    assert "jobs          6 used of 6, 0 left" in out
    assert "objective     minimize the last loss" in out
    assert "strategy random (hpo-random-search" in out


def test_show_in_json_has_the_whole_configuration(small: Hpo) -> None:
    shown = small("show", "small", "--json").json()
    assert shown["config"]["seed"] == 7
    assert shown["usage"]["jobs"] == 6
    assert shown["remaining"] == {"jobs": 0}
    assert shown["plugins"]["strategy"]["distribution"] == "hpo-random-search"


def test_top_has_the_k_best_in_order(small: Hpo) -> None:
    best = small("top", "small", "-k", "3", "--json").json()
    losses = [trial["values"]["loss"] for trial in best]
    assert losses == sorted(losses)
    assert len(losses) == 3
    assert all(trial["configuration"]["x"] == trial["values"]["loss"] for trial in best)


@pytest.mark.parametrize("k", ["0", "-3", "many"])
def test_top_of_no_trials_is_bad_input(small: Hpo, k: str) -> None:
    ended = small("top", "small", "-k", k)
    assert ended.status == 2
    assert "-k" in ended.err


def test_top_of_a_study_without_a_completed_trial_says_where_to_look(
    write: Write, hpo: Hpo
) -> None:
    write(('"small"', '"two words"'), job="exit 1")
    hpo("run", "study.toml", "--quiet")
    said = "no trial of two words is completed; see: hpo jobs 'two words'\n"
    assert hpo("top", "two words").out == said
    assert hpo("top", "two words", "--json").json() == []


def test_jobs_shows_how_each_ended_and_why(write: Write, hpo: Hpo) -> None:
    write(("seed = 7", "seed = 7\nmax_failures_at_start = 0"), job="exit 3")
    hpo("run", "study.toml", "--quiet")
    rows = hpo("jobs", "small").out.splitlines()[1:]
    assert len(rows) == 6
    assert all("failed" in row and "exit status 3" in row for row in rows)
    jobs = hpo("jobs", "small", "--json").json()
    assert {job["state"] for job in jobs} == {"failed"}


def test_log_shows_what_a_job_printed_by_its_trial_or_its_id(small: Hpo) -> None:
    assert small("log", "small", "1").out.startswith("said 0.")
    assert small("log", "small", "1.1") == small("log", "small", "1")
    assert small("log", "small", "1", "--json").json()["output"].startswith("said 0.")


def test_log_of_a_silent_failed_job_says_why_it_failed(write: Write, hpo: Hpo) -> None:
    write(job="exit 3")
    hpo("run", "study.toml", "--quiet")
    ended = hpo("log", "small", "1")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.splitlines() == ["job 1.1 printed nothing", "failed: exit status 3"]


@pytest.mark.parametrize("job", ["99", "1.2", "foo", "1.", ""])
def test_log_of_an_unknown_job_says_where_the_jobs_are(small: Hpo, job: str) -> None:
    ended = small("log", "small", job)
    if job != "1.":  # which is trial 1
        assert ended.status == 2
        assert "see: hpo jobs small" in ended.err


def test_export_as_csv_has_a_row_for_each_trial(small: Hpo) -> None:
    rows = list(csv.DictReader(io.StringIO(small("export", "small").out)))
    assert len(rows) == 6
    assert all(float(row["param.x"]) == float(row["value.loss"]) for row in rows)


def test_export_as_json_keeps_the_values_types(write: Write, hpo: Hpo, folder: Path) -> None:
    choices = '[parameters.c]\ntype = "categorical"\nchoices = [1, 1.5, true, "1"]\n'
    write(
        ("jobs = 6", "jobs = 4"),
        ("[parameters.x]", f"{choices}\n[parameters.x]"),
        ('"{x}"', '"{x}", "{c}"'),
        ('"float"\nlow = 0.0\nhigh = 1.0', '"constant"\nvalue = 0.5'),
    )
    hpo("run", "study.toml", "--quiet")
    assert hpo("export", "small", "--format", "json", "-o", "out.json").status == 0
    rows = json.loads((folder / "out.json").read_text())
    values = [row["param.c"] for row in rows]
    assert {(type(value), value) for value in values} == {
        (int, 1),
        (float, 1.5),
        (bool, True),
        (str, "1"),
    }


def test_export_to_a_place_that_is_not_there_is_named(small: Hpo) -> None:
    ended = small("export", "small", "-o", "no/such/file.csv")
    assert ended.status == 2
    assert ended.err == "error: -o: cannot write no/such/file.csv: No such file or directory\n"


LOOKING = ["show", "top", "jobs", "export", "log", "resume", "extend", "stop", "enqueue"]


@pytest.mark.parametrize("command", LOOKING)
def test_an_unknown_study_names_the_nearest(small: Hpo, command: str) -> None:
    rest = {"log": ["1"], "extend": ["--jobs", "9"], "enqueue": ["x=1"]}.get(command, [])
    ended = small(command, "smal", *rest)
    assert ended.status == 2
    assert "has no study 'smal'; did you mean 'small'?" in ended.err


@pytest.mark.parametrize("command", ["studies", *LOOKING])
def test_missing_store_is_an_error_and_is_not_created(hpo: Hpo, folder: Path, command: str) -> None:
    rest = {"log": ["1"], "extend": ["--jobs", "9"], "enqueue": ["x=1"]}.get(command, [])
    names = [] if command == "studies" else ["small"]
    ended = hpo(command, *names, *rest, "--store", "other.db")
    assert ended.status == 2
    assert ended.err.startswith("error: there is no store at other.db; name another with --store")
    assert list(folder.iterdir()) == []


def test_the_store_may_be_named_by_the_environment(
    small: Hpo, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "hpo.db").rename(folder / "moved.db")
    monkeypatch.setenv("HPO_STORE", "moved.db")
    assert "small" in small("studies").out


def test_control_characters_of_a_study_reach_no_terminal(write: Write, hpo: Hpo) -> None:
    evil = r"ev\u001b[31mil"
    write(
        ("seed = 7", f'seed = 7\ntags = ["{evil}"]\njob_name = "{evil}-{{trial_id}}"'),
        ('"loss"', f'"{evil}"'),
        job=r"""printf '{"ev\\u001b[31mil": 1}\n' > /dev/fd/$HPO_REPORT_FD""",
    )
    ran = hpo("run", "study.toml")
    assert r"ev\x1b[31mil" in ran.out
    for ended in [ran, *(hpo(command, "small") for command in ("show", "top", "jobs"))]:
        assert ended.status == 0
        assert "\x1b" not in ended.out + ended.err


@pytest.mark.parametrize("metric", ["inf", "nan"])
def test_json_stays_json_with_numbers_that_are_not_finite(
    write: Write, hpo: Hpo, metric: str
) -> None:
    name = {"inf": "Infinity", "nan": "NaN"}[metric]
    write(job=f'echo "{{\\"loss\\": {name}}}" > /dev/fd/$HPO_REPORT_FD')
    hpo("run", "study.toml", "--quiet")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    jobs, trials = (
        json.loads(hpo(*arguments).out, parse_constant=refuse)
        for arguments in (["jobs", "small", "--json"], ["export", "small", "--format", "json"])
    )
    assert jobs[0]["metrics"] == {"loss": None}
    assert trials[0]["state"] == "failed"


def test_jobs_that_failed_are_listed_with_their_cause(write: Write, hpo: Hpo) -> None:
    write(("jobs = 6", "jobs = 1"), job="exit 3")
    assert hpo("run", "study.toml", "--quiet").status == 1
    header, row = hpo("jobs", "small").out.splitlines()[:2]
    assert header.split()[:4] == ["job", "name", "state", "cause"]
    assert row.split()[:4] == ["1.1", "small-1", "failed", "error"]
    (job,) = hpo("jobs", "small", "--json").json()
    assert job["cause"] == "error"
