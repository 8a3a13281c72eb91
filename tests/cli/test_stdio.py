"""Standard streams that are closed or full: the study continues without a traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import HPO, Ended

Hpo = Callable[..., Any]
Write = Callable[..., None]


def shell(redirection: str, *arguments: str) -> Ended:
    """Call the command line as a shell does, its streams redirected."""
    command = f'"$@" {redirection}'
    ended = subprocess.run(
        ["sh", "-c", command, "sh", *HPO, *arguments], capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in ended.stderr
    assert "Error" not in ended.stderr
    return Ended(ended.returncode, ended.stdout, ended.stderr)


FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")


@pytest.mark.parametrize(
    "redirection",
    [
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        "| true",
        "2>&1 | true",
        pytest.param("2>/dev/full", marks=FULL),
    ],
)
def test_study_continues_whatever_happens_to_its_output(
    write: Write, hpo: Hpo, redirection: str
) -> None:
    write()
    assert shell(redirection, "run", "study.toml").status == 0
    jobs = hpo("jobs", "small", "--json").json()
    assert [job["state"] for job in jobs] == ["completed"] * 6


@FULL
@pytest.mark.parametrize("arguments", [["run", "study.toml"], ["--help"], ["plugins"]])
def test_output_that_can_not_be_written_is_an_error(write: Write, arguments: list[str]) -> None:
    write()
    ended = shell(">/dev/full", *arguments)
    assert ended.status == 2
    said = "error: cannot write to standard output: No space left on device"
    assert ended.err.splitlines()[-1] == said


@FULL
def test_a_log_that_can_not_be_written_is_an_error(small: Hpo) -> None:
    ended = shell(">/dev/full", "log", "small", "1")
    assert (ended.status, ended.err[:29]) == (2, "error: cannot write to standa")


def test_the_quiet_outcome_is_there_without_standard_error(write: Write) -> None:
    write()
    ended = shell("2>&-", "run", "study.toml", "--quiet")
    assert "The best 5 of 6 trials:" in ended.out


def test_what_jobs_print_stays_in_their_logs_with_all_streams_closed(
    write: Write, hpo: Hpo
) -> None:
    write()
    assert shell("<&- >&- 2>&-", "run", "study.toml").status == 0
    assert hpo("log", "small", "1").out.startswith("said 0.")
