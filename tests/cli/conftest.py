"""Fixtures that call the command line: in this process if that is fast, else in a new process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from hpo_core.cli.main import main

HPO = [sys.executable, "-c", "from hpo_core.cli.main import main; main()"]

STUDY = """
name = "small"
seed = 7
workers = 2
strategy = "random"

[objective]
metric = "loss"
direction = "minimize"

[budget]
jobs = 6

[job]
command = ["sh", "job.sh", "{x}"]
grace = "1m"

[parameters.x]
type = "float"
low = 0.0
high = 1.0
"""

REPORTS = 'echo "said $1"; echo "{\\"iteration\\": 1, \\"loss\\": $1}" > /dev/fd/$HPO_REPORT_FD'


class Ended(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the one JSON document that it wrote."""
        return json.loads(self.out)


class Hpo(Protocol):
    def __call__(self, *arguments: str) -> Ended: ...


class Write(Protocol):
    """Writes ``study.toml``, with texts of it replaced, and the job's script."""

    def __call__(self, *replacements: tuple[str, str], job: str = REPORTS) -> None: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HPO_STORE", raising=False)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    def write_study(*replacements: tuple[str, str], job: str = REPORTS) -> None:
        text = STUDY
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (folder / "study.toml").write_text(text)
        (folder / "job.sh").write_text(job + "\n")

    return write_study


@pytest.fixture
def hpo(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Hpo:
    """The command line, in this process."""

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["hpo", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capfd.readouterr()
        status = exit_.value.code
        assert isinstance(status, int)
        assert "Traceback" not in err
        return Ended(status, out, err)

    return call


@pytest.fixture
def small(write: Write, hpo: Hpo) -> Hpo:
    """The command line, where the study ``small`` has been run: six jobs."""
    write()
    assert hpo("run", "study.toml", "--quiet").status == 0
    return hpo


Start = Callable[..., subprocess.Popen[str]]


def _heed_ctrl_c() -> None:
    """A shell has what it runs in the background ignore Ctrl-C; the tests may run there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts the command line in its own process; it is gone when the test is."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        usual = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "preexec_fn": _heed_ctrl_c,
        }
        process = subprocess.Popen(
            [*HPO, *arguments],
            cwd=folder,
            text=True,
            **{**usual, **options},
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdout, process.stderr)):
            pipe.close()


class Fifo:
    """A named pipe through which jobs and a test wait for each other.

    Args:
        path: Where to make it.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._descriptor = os.open(path, os.O_RDWR)
        self._lines = os.fdopen(self._descriptor, closefd=False)

    def line(self) -> str:
        """Wait for a line."""
        return self._lines.readline().strip()

    def let_one_go(self) -> None:
        """Write an empty line, for one reader."""
        os.write(self._descriptor, b"\n")

    def close(self) -> None:
        """Remove what was opened."""
        self._lines.close()
        os.close(self._descriptor)


@pytest.fixture
def began(folder: Path) -> Iterator[Fifo]:
    """Where jobs say that they have begun."""
    fifo = Fifo(folder / "began")
    yield fifo
    fifo.close()


@pytest.fixture
def go(folder: Path) -> Iterator[Fifo]:
    """Where jobs wait until they may go on."""
    fifo = Fifo(folder / "go")
    yield fifo
    fifo.close()
