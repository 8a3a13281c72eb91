"""Mistakes of new users: the printed messages alone lead to the remedy.

The user knows only their own file and the command ``hpo run study.toml``. All later commands are
taken from the output.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .test_interruption import Terminal

Start = Callable[..., subprocess.Popen[str]]

STUDY = """
name = "first"
seed = 7
workers = 2
strategy = "random"

[objective]
metric = "loss"
direction = "minimize"

[budget]
jobs = 8

[job]
command = ["sh", "job.sh", "{x}"]

[parameters]
x = { type = "float", low = 0.0, high = 1.0 }
"""

JOB = 'echo "{\\"iteration\\": 1, \\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD\n'


class Newcomer:
    """Types commands in a folder, and reads what they print.

    Attributes:
        read: What the last command printed.
        status: Its exit status.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.read = ""
        self.status = 0

    def writes(self, file: str, text: str) -> None:
        (self._folder / file).write_text(text)

    def corrects(self, file: str, old: str, new: str) -> None:
        path = self._folder / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def types(self, command: str, answer: str = "") -> None:
        """Type a command into a shell, and read what it prints."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ended = subprocess.run(
            ["sh", "-c", command],
            cwd=self._folder,
            env={**os.environ, "PATH": path},
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        self.read, self.status = ended.stdout, ended.returncode
        assert "Traceback" not in self.read

    def proposed(self, words: str) -> str:
        """Return the command with these words that was printed, as it is to be typed."""
        found = re.search(rf"{words}\b[^\n;(]*", self.read)
        assert found, f"no {words!r} in what was printed:\n{self.read}"
        return found[0].strip().rstrip(".")

    def has_read(self, *words: str) -> None:
        for word in words:
            assert word in self.read, f"no {word!r} in what was printed:\n{self.read}"


@pytest.fixture
def newcomer(folder: Path) -> Newcomer:
    newcomer = Newcomer(folder)
    newcomer.writes("study.toml", STUDY)
    newcomer.writes("job.sh", JOB)
    return newcomer


def test_a_misspelt_script(newcomer: Newcomer) -> None:
    newcomer.corrects("study.toml", "job.sh", "jbo.sh")
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 1
    newcomer.types(newcomer.proposed("hpo log"))
    newcomer.has_read("jbo.sh")

    newcomer.corrects("study.toml", "jbo.sh", "job.sh")
    newcomer.types("hpo run study.toml")
    newcomer.has_read("job.command", "jbo.sh", "--name")
    newcomer.types("hpo run study.toml --name again")
    assert newcomer.status == 0
    newcomer.has_read("The best 5 of 8 trials:")


def test_a_metric_of_another_name(newcomer: Newcomer) -> None:
    newcomer.corrects("job.sh", "loss", "los")
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 1
    newcomer.has_read("it never reported the metric 'loss'; it reported los")

    newcomer.corrects("job.sh", "los", "loss")
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 0
    newcomer.has_read("Study 'first' finished")


def test_a_wrong_direction(newcomer: Newcomer) -> None:
    newcomer.corrects("study.toml", "minimize", "maximize")
    newcomer.types("hpo run study.toml")
    newcomer.has_read("Objective: maximize the last loss.")

    newcomer.corrects("study.toml", "maximize", "minimize")
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 2
    newcomer.has_read('direction: "maximize" -> "minimize"', "--name")
    newcomer.types("hpo run study.toml --name again")
    newcomer.has_read("Objective: minimize the last loss.")


def test_a_crash_in_every_second_job(newcomer: Newcomer) -> None:
    newcomer.writes(
        "job.sh", f'[ $((HPO_TRIAL_ID % 2)) = 0 ] && {{ echo "no memory"; exit 9; }}\n{JOB}'
    )
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 0
    newcomer.has_read("4 of 8 trials failed, the first one in job ", ": exit status 9: no memory")
    newcomer.types(newcomer.proposed("hpo log"))
    newcomer.has_read("no memory")

    newcomer.writes("job.sh", JOB)
    newcomer.types("hpo run study.toml")
    newcomer.types(newcomer.proposed("hpo extend"))
    assert newcomer.status == 0
    newcomer.has_read("The best 5 of 18 trials:")


def test_a_changed_file(newcomer: Newcomer) -> None:
    newcomer.types("hpo run study.toml")
    newcomer.corrects("study.toml", "high = 1.0", "high = 9.0")
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 2
    newcomer.has_read("parameters.x.high: 1.0 -> 9.0", "--name")
    newcomer.types("hpo run study.toml --name wider")
    assert newcomer.status == 0
    newcomer.types("hpo studies")
    newcomer.has_read("first", "wider")


def test_a_closed_terminal(newcomer: Newcomer, start: Start, began: Any, go: Any) -> None:
    newcomer.writes("job.sh", f"echo began > began; read l < go\n{JOB}")
    terminal = Terminal(80)
    running = terminal.run(start, "run", "study.toml")
    began.line()
    terminal.close()
    running.wait()

    newcomer.writes("job.sh", JOB)
    newcomer.types("hpo")  # of which nothing was to be read any more
    newcomer.has_read("studies", "List the studies of the store", "show")
    newcomer.types("hpo studies")
    newcomer.has_read("first", "interrupted")
    newcomer.types("hpo show first")
    newcomer.has_read("interrupted: its terminal was closed")
    newcomer.types(newcomer.proposed("hpo resume"))
    assert newcomer.status == 0
    newcomer.has_read("The best 5 of 8 trials:")


def test_a_second_controller(newcomer: Newcomer, start: Start, began: Any, go: Any) -> None:
    newcomer.writes("job.sh", f"echo began > began; read l < go\n{JOB}")
    running = start("run", "study.toml", "--quiet")
    began.line()

    newcomer.types("hpo run study.toml")
    assert newcomer.status == 2
    newcomer.has_read(f"is being run by process {running.pid}")
    newcomer.types(newcomer.proposed("hpo stop"))
    assert running.wait() == 130

    newcomer.writes("job.sh", JOB)
    newcomer.types(newcomer.proposed("hpo resume"))
    assert newcomer.status == 0
    newcomer.has_read("The best 5 of 8 trials:")


def test_an_asha_study_that_is_too_small_for_its_rungs(newcomer: Newcomer) -> None:
    newcomer.corrects("study.toml", '"random"', '"asha"')
    newcomer.corrects("study.toml", "[job]", "[job]\nmax_iterations = 27")
    newcomer.corrects("study.toml", "jobs = 8", "jobs = 2")
    newcomer.writes("job.sh", every_iteration())
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 1
    newcomer.has_read("the budget of 2 jobs ends before one trial has trained", "16 or more")
    newcomer.has_read("No trial is completed", "paused", "The best so far is trial")
    for _ in range(6):
        newcomer.types(newcomer.proposed("hpo extend"))
        if newcomer.status == 0:
            break
    newcomer.has_read("The best")


def every_iteration() -> str:
    report = 'echo "{\\"iteration\\": $i, \\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD'
    return f"i=0\nwhile [ $i -lt $HPO_ITERATIONS ]; do i=$((i + 1)); {report}; done\n"


def test_a_forgotten_placeholder(newcomer: Newcomer) -> None:
    newcomer.corrects(
        "study.toml", "[parameters]", '[parameters]\ny = { type = "int", low = 1, high = 9 }'
    )
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 2
    newcomer.has_read("parameters.y", "write {y} in job.command")

    newcomer.corrects("study.toml", '"{x}"]', '"{x}", "{y}"]')
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 0
    newcomer.has_read("The best 5 of 8 trials:")


def test_a_spoilt_study_begun_again(newcomer: Newcomer) -> None:
    newcomer.corrects("study.toml", "high = 1.0", "high = 1000.0")
    newcomer.types("hpo run study.toml")
    newcomer.corrects("study.toml", "high = 1000.0", "high = 1.0")
    newcomer.types("hpo run study.toml")
    assert newcomer.status == 2
    newcomer.has_read("--restart")
    newcomer.types("hpo run study.toml --restart")
    newcomer.has_read("--yes")
    newcomer.types("hpo run study.toml --restart --yes")
    assert newcomer.status == 0
    newcomer.has_read("The best 5 of 8 trials:")
    newcomer.types("hpo show first")
    newcomer.has_read("8 in all")
