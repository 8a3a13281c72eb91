"""Running and paused trials are shown with their reports while the study runs."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hpo_core import HyperParameterOptimizer, study_file
from hpo_core.controller.strategy.read_config import read_config
from hpo_core.plugin import JobReported

Hpo = Callable[..., Any]
Write = Callable[..., None]
Start = Callable[..., subprocess.Popen[str]]

HANGS = 30.0  # seconds after which a test that waits has failed
ONE = (("workers = 2", "workers = 1"), ("jobs = 6", "jobs = 2"))
REPORT = 'r() { echo "{\\"iteration\\": $1, \\"loss\\": $2}" > /dev/fd/$HPO_REPORT_FD; }\n'
WAITS = f"{REPORT}r 1 9; r 2 7.5; read l < go"


class Watched:
    """Runs a study in this process, and lets a test wait for its reports."""

    def __init__(self) -> None:
        self._reports = threading.Semaphore(0)
        self._optimizer: HyperParameterOptimizer | None = None

    def observe(self, event: object, /) -> None:
        if isinstance(event, JobReported):
            self._reports.release()

    def run(self, reports: int) -> None:
        """Start the study of the file, and return when a number of reports are stored."""
        config = read_config(study_file.load("study.toml"), Path.cwd(), 7)
        self._optimizer = HyperParameterOptimizer(config, store="hpo.db", observers=[self])
        self._optimizer.start()
        for _ in range(reports):
            assert self._reports.acquire(timeout=HANGS)

    def close(self) -> None:
        if self._optimizer is not None:
            self._optimizer.stop(at_once=True)
            self._optimizer.close()


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.close()


@pytest.fixture
def running(write: Write, hpo: Hpo, watched: Watched, go: Any) -> Hpo:
    """The command line, while job 1.1 runs, which has reported 9 and then 7.5."""
    write(*ONE, job=WAITS)
    watched.run(reports=2)
    return hpo


def cells(table: str, row: int = 0) -> dict[str, str]:
    """Return a row of a table by the names of its columns."""
    header, *rows = table.splitlines()
    return dict(zip(header.split(), rows[row].split(), strict=False))


def test_jobs_lists_a_running_job_with_its_iteration_metrics_and_time(running: Hpo) -> None:
    row = cells(running("jobs", "small").out)
    assert (row["state"], row["iteration"], row["loss"]) == ("running", "2", "7.5")
    (job,) = running("jobs", "small", "--json").json()
    assert (job["iteration"], job["metrics"], job["ended"]) == (2, {"loss": 7.5}, None)
    assert job["seconds"] >= 0
    assert job["configuration"].keys() == {"x"}


def test_top_lists_a_running_trial_below_the_completed_ones_and_marks_it(running: Hpo) -> None:
    said, header, row = running("top", "small").out.splitlines()
    assert said == "no trial of small is completed; unfinished trials:"
    found = cells(f"{header}\n{row}")
    assert (found["rank"], found["state"], found["iteration"]) == ("-", "running", "2")
    (trial,) = running("top", "small", "--json").json()
    assert (trial["state"], trial["iteration"], trial["values"]) == ("running", 2, {"loss": 7.5})


def test_show_and_studies_name_the_best_so_far_with_its_iteration(running: Hpo) -> None:
    out = running("show", "small").out
    assert "best so far   trial 1, running at iteration 2: loss = 7.5" in out
    assert "running       trial 1 at iteration 2: loss = 7.5, 0." in out
    shown = running("show", "small", "--json").json()
    assert (shown["state"], shown["running"], shown["best"]) == ("running", 1, {})
    assert shown["best_so_far"]["iteration"] == 2
    assert [trial["trial_id"] for trial in shown["unfinished"]] == [1]
    assert "7.5 (running at 2)" in running("studies").out


def test_export_has_what_a_running_trial_has_reported(running: Hpo) -> None:
    (row,) = csv.DictReader(io.StringIO(running("export", "small").out))
    assert (row["state"], row["iteration"], row["value.loss"]) == ("running", "2", "7.5")
    assert float(row["seconds"]) >= 0


def test_curves_shows_the_reports_of_a_trial_while_it_runs(running: Hpo) -> None:
    out = running("curves", "small", "1").out
    assert [cells(out, row)["iteration"] for row in (0, 1)] == ["1", "2"]
    assert [cells(out, row)["loss"] for row in (0, 1)] == ["9", "7.5"]
    points = running("curves", "small", "--json").json()
    assert [(point["job"], point["metrics"]) for point in points] == [
        ("1.1", {"loss": 9.0}),
        ("1.1", {"loss": 7.5}),
    ]


def test_completed_trials_come_first_and_only_they_have_a_rank(
    write: Write, hpo: Hpo, watched: Watched, go: Any
) -> None:
    write(*ONE, job=f"{REPORT}[ $HPO_TRIAL_ID = 1 ] && {{ r 1 5; exit; }}; r 1 4; read l < go")
    watched.run(reports=2)
    out = hpo("top", "small").out
    assert (cells(out, 0)["rank"], cells(out, 0)["state"]) == ("1", "completed")
    assert (cells(out, 1)["rank"], cells(out, 1)["loss"]) == ("-", "4")
    assert "best          loss = 5" in hpo("show", "small").out


def test_an_unfinished_trial_that_has_broken_a_constraint_is_not_in_top(
    write: Write, hpo: Hpo, watched: Watched, go: Any
) -> None:
    bound = 'constraints = [{ metric = "loss", bound = 7 }]'
    write(*ONE, ("seed = 7", f"seed = 7\n{bound}"), job=WAITS)
    watched.run(reports=2)
    assert hpo("top", "small", "--json").json() == []


def test_curves_of_a_trial_that_has_reported_nothing_says_so(write: Write, hpo: Hpo) -> None:
    write(*ONE, job="exit 1")
    hpo("run", "study.toml")
    ended = hpo("curves", "small", "1")
    assert ended == (0, "", "trial 1 has not reported anything yet; see: hpo jobs small\n")
    assert hpo("curves", "small", "1", "--json").json() == []


def test_curves_of_an_unknown_trial_says_where_the_jobs_are(small: Hpo) -> None:
    ended = small("curves", "small", "99")
    assert ended.status == 2
    assert ended.err == "error: the study 'small' has no trial 99; see: hpo jobs small\n"


def test_curves_leaves_out_what_a_retried_job_reported(write: Write, hpo: Hpo) -> None:
    again = f"{REPORT}case $HPO_JOB_ID in *.1) r 1 9; exit 1;; *) r 1 2;; esac"
    write(*ONE, ('grace = "1m"', 'grace = "1m"\nretries = 1'), job=again)
    hpo("run", "study.toml")
    points = hpo("curves", "small", "--json").json()
    assert [(point["job"], point["metrics"]["loss"]) for point in points] == [("1.2", 2.0)]


def test_where_a_controller_died_every_command_says_that_it_is_interrupted(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(*ONE, job=f"{REPORT}r 1 9; echo $$ > began; read l < go")
    running = start("run", "study.toml", "--quiet")
    job = int(began.line())
    running.send_signal(signal.SIGKILL)
    running.wait()

    shown = hpo("show", "small", "--json").json()
    (listed,) = hpo("studies", "--json").json()
    told = ("interrupted", "its controller died")
    assert (shown["state"], shown["reason"]) == (listed["state"], listed["reason"]) == told
    assert "state         interrupted: its controller died" in hpo("show", "small").out
    assert "take them over with: hpo resume small" in hpo("jobs", "small").err
    os.kill(job, signal.SIGKILL)
    started = start("resume", "small", "--quiet")
    began.line()
    go.let_one_go()
    started.communicate()
