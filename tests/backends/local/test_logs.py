"""Logs: each job has one, which exists while the job runs and is removed if it is empty."""

import os
from pathlib import Path

import pytest

from hpo_core.plugin import Outcome

PRINTS = """
import os

def fit(configuration):
    os.write(1, configuration["text"].encode())
    if configuration.get("pipe"):
        with open(configuration["pipe"]) as pipe:
            pipe.read()
    if configuration.get("dies"):
        os._exit(3)
    return 1.0

if __name__ == "__main__":
    import sys
    fit({"text": sys.argv[1], "pipe": sys.argv[2]})
"""
SHELL = ("sh", "-c", 'printf %s "$1"; if [ -n "$2" ]; then cat "$2"; fi', "sh", "{text}", "{pipe}")
WORK = {"command": {"command": SHELL}, "function": {"function": "prints:fit"}}
KINDS = pytest.mark.parametrize("kind", ["command", "function"])


@pytest.fixture
def printing(start, tmp_path):
    """Return what runs jobs that print, one at a time, with their logs in one folder."""
    (tmp_path / "prints.py").write_text(PRINTS)

    def make(kind):
        driver = start("local", directory=str(tmp_path), workers=1, **WORK[kind])

        def submit(text, pipe="", **values):
            number = len([event for event in driver.said if type(event).__name__ == "Finished"])
            log = str(tmp_path / "logs" / f"{number}.log")
            return driver.submit({"text": text, "pipe": pipe, **values}, log=log)

        return driver, submit

    return make


def logs(folder: Path) -> dict[str, str]:
    return {entry.name: entry.read_text() for entry in (folder / "logs").iterdir()}


@KINDS
def test_each_job_has_what_it_printed_and_no_log_if_that_is_nothing(printing, tmp_path, kind):
    driver, submit = printing(kind)
    for text in ("", "one", "", "", "two", "three", ""):
        assert driver.finished(submit(text)).outcome in (Outcome.COMPLETED, Outcome.FAILED)
    driver.backend.close()
    assert logs(tmp_path) == {"1.log": "one", "4.log": "two", "5.log": "three"}


@KINDS
def test_a_log_can_be_followed_while_its_job_runs(printing, tmp_path, kind):
    driver, submit = printing(kind)
    driver.finished(submit(""))
    os.mkfifo(tmp_path / "pipe")
    job = submit("begun", str(tmp_path / "pipe"))
    driver.started(job)
    with open(tmp_path / "pipe", "w"):  # it has opened it: all is printed
        while not Path(job.log).exists():  # it gets its name a moment later
            driver.backend.events(0.01)
        assert Path(job.log).read_text() == "begun"
    driver.finished(job)
    driver.finished(submit("after it"))
    driver.backend.close()
    assert logs(tmp_path) == {"1.log": "begun", "2.log": "after it"}


@KINDS
def test_a_log_that_was_empty_while_its_job_ran_is_gone_after_it(printing, tmp_path, kind):
    driver, submit = printing(kind)
    driver.finished(submit(""))
    os.mkfifo(tmp_path / "pipe")
    job = submit("", str(tmp_path / "pipe"))
    with open(tmp_path / "pipe", "w"):
        while not Path(job.log).exists():
            driver.backend.events(0.01)
    driver.finished(job)
    driver.finished(submit("after it"))
    driver.backend.close()
    assert logs(tmp_path) == {"2.log": "after it"}


def test_what_a_worker_printed_that_died_is_its_job_s(printing, tmp_path):
    driver, submit = printing("function")
    driver.finished(submit(""))
    end = driver.finished(submit("the last word", dies=True))
    assert end.outcome is Outcome.FAILED
    assert "the last word" in end.reason
    driver.backend.close()
    assert logs(tmp_path) == {"1.log": "the last word"}


def test_what_a_job_printed_that_ended_its_parent_is_its_own(start, tmp_path):
    driver = start("local", workers=1, command=("sh", "-c", "echo bye; kill -9 $PPID; cat"))
    log = str(tmp_path / "logs" / "1.log")
    assert driver.run({}, log=log).outcome is Outcome.FAILED
    driver.backend.close()
    assert logs(tmp_path) == {"1.log": "bye\n"}
