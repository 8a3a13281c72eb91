"""``hpo enqueue`` and ``hpo stop``, on idle and on running studies."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

Hpo = Callable[..., Any]
Write = Callable[..., None]
Start = Callable[..., subprocess.Popen[str]]

WAITS = "echo $$ > began; read line < go; "
REPORTS = 'echo "{\\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD'


def test_what_is_enqueued_runs_first_when_the_study_is_extended(small: Hpo) -> None:
    said = small("enqueue", "small", "x=0.25").out
    assert said == (
        "enqueued; it runs first when you extend the budget: hpo extend small --jobs +10\n"
    )
    small("extend", "small", "--jobs", "+1", "--quiet")
    assert small("jobs", "small", "--json").json()[-1]["metrics"] == {"loss": 0.25}


def test_what_is_enqueued_in_a_study_without_a_budget_runs_when_it_is_resumed(
    write: Write, hpo: Hpo
) -> None:
    write(
        ("[budget]\njobs = 6\n", ""), ("high = 1.0", "high = 1.0\nstep = 0.5"), ("random", "grid")
    )
    assert hpo("run", "study.toml", "--quiet").status == 0
    said = hpo("enqueue", "small", "x=0.5").out
    assert said == "enqueued; it runs first when you resume the study: hpo resume small\n"
    assert hpo("resume", "small", "--quiet").status == 0
    assert [job["metrics"]["loss"] for job in hpo("jobs", "small", "--json").json()][3:] == [0.5]


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (["x=3"], ["x: x lies between 0.0 and 1.0, got 3.0"]),
        (["x=a"], ["x: x takes a number with a fraction (float), got 'a'"]),
        (["x"], ["x: expected KEY=VALUE, such as lr=0.01"]),
        (["y=1"], ["y: no such parameter"]),
        (["xx=1", "x=a"], ["xx: no such parameter; did you mean 'x'?", "x: x takes a number"]),
    ],
)
def test_all_invalid_values_are_reported_and_nothing_is_enqueued(
    small: Hpo, words: list[str], faults: list[str]
) -> None:
    ended = small("enqueue", "small", *words)
    assert ended.status == 2
    lines = ended.err.splitlines()
    assert len(lines) == len(faults)
    for line, fault in zip(lines, faults, strict=True):
        assert line.startswith(f"error: {fault}")
    small("extend", "small", "--jobs", "+1", "--quiet")
    assert small("jobs", "small", "--json").json()[-1]["metrics"]["loss"] not in (1.0, 3.0)


def test_stop_of_a_study_at_rest_says_so(small: Hpo) -> None:
    assert small("stop", "small") == (0, "the study small is not running\n", "")


def test_stop_ends_a_running_study_and_its_jobs(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(job=WAITS + REPORTS)
    running = start("run", "study.toml")
    pids = [int(began.line()), int(began.line())]

    assert hpo("stop", "small").out == "stopped; to resume it: hpo resume small\n"
    out, _ = running.communicate()
    assert "Study 'small' interrupted: stopped by another process" in out
    assert "To continue: hpo resume small" in out
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert hpo("show", "small", "--json").json()["state"] == "interrupted"


def test_what_is_enqueued_while_the_study_runs_is_next(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(("workers = 2", "workers = 1"), ("jobs = 6", "jobs = 2"), job=WAITS + REPORTS)
    running = start("run", "study.toml", "--quiet")
    began.line()
    assert hpo("enqueue", "small", "x=0.25").out == "enqueued; it is next\n"
    go.let_one_go()
    began.line()
    go.let_one_go()
    assert running.wait() == 0
    assert hpo("jobs", "small", "--json").json()[1]["metrics"] == {"loss": 0.25}


def test_a_second_controller_is_refused_while_the_first_one_lives(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(job=WAITS + REPORTS)
    running = start("run", "study.toml", "--quiet")
    began.line()
    for command in (["run", "study.toml"], ["extend", "small", "--jobs", "9"]):
        ended = hpo(*command)
        assert ended.status == 2
        assert f"is being run by process {running.pid}" in ended.err
        assert "hpo stop small" in ended.err
    hpo("stop", "small")


def test_a_study_whose_controller_was_killed_says_that_jobs_may_be_left(
    write: Write, hpo: Hpo, start: Start, began: Any, go: Any
) -> None:
    write(("workers = 2", "workers = 1"), ("jobs = 6", "jobs = 1"), job=WAITS + REPORTS)
    running = start("run", "study.toml", "--quiet")
    began.line()
    running.send_signal(signal.SIGKILL)
    running.wait()

    assert "interrupted: its controller died" in hpo("show", "small").out
    said = hpo("stop", "small").out
    assert said.startswith("the study small is not running; its controller died")
    assert said.endswith("hpo resume small\n")

    carried_on = start("resume", "small", "--quiet")  # takes over what is left
    go.let_one_go()
    assert carried_on.wait() == 0
    (job,) = hpo("jobs", "small", "--json").json()
    assert (job["id"], job["state"]) == ("1.1", "completed")
