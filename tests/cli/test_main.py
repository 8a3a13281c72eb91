"""The entry point: help, broken pipes, and lazy imports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hpo_core.cli.main import BUILT_IN as COMMANDS

Hpo = Callable[..., Any]
Start = Callable[..., subprocess.Popen[str]]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(hpo: Hpo, command: str) -> None:
    ended = hpo(command, "--help")
    assert ended.status == 0
    assert f"Example: hpo {command}" in ended.out


def test_the_help_lists_each_command(hpo: Hpo) -> None:
    out = hpo("--help").out
    for command in COMMANDS:
        assert f"\n  {command} " in out
    assert "Example: hpo run" in out


def test_without_a_command_it_is_bad_input_with_the_help(hpo: Hpo) -> None:
    ended = hpo()
    assert ended.status == 2
    assert "Commands:" in ended.out + ended.err


def test_an_unknown_command_is_bad_input(hpo: Hpo) -> None:
    ended = hpo("rnu")
    assert (ended.status, ended.out) == (2, "")
    assert "No such command 'rnu'" in ended.err


def test_the_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['hpo', '--help']\n"
        "from hpo_core.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'pandas', 'rich', 'sqlite3'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stderr == "[]\n"


@pytest.mark.parametrize("command", [["jobs", "small"], ["jobs", "small", "--json"], ["studies"]])
def test_reader_that_stops_reading_is_not_a_failure(
    small: Hpo, start: Start, command: list[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*command, stdout=writing)
    os.close(writing)
    _, err = process.communicate()
    assert (process.returncode, err) == (0, "")


def test_a_terminal_that_lacks_a_character_gets_an_escape(
    small: Hpo, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    small("enqueue", "small", "x=0.5")
    process = start("run", "study.toml", "--name", "größe", "--quiet", "--jobs", "1")
    assert process.wait() == 0
    process = start("studies")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert r"gr\xf6\xdfe" in out


@pytest.mark.parametrize(("typed", "meant"), [("rnu", "run"), ("sop", "stop"), ("curve", "curves")])
def test_a_misspelt_command_names_the_one_that_may_be_meant(
    hpo: Hpo, typed: str, meant: str
) -> None:
    ended = hpo(typed)
    assert ended.status == 2
    assert f"Error: No such command '{typed}'; did you mean '{meant}'?" in ended.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("run study.toml --prunner median", "is given as: -o prunner=VALUE"),
        ("run study.tml", "study.tml: cannot be read: No such file or directory; did you mean"),
        ("jobs", "The studies of hpo.db: small"),
        ("jobs small --state pruned", "is in the state 'stopped'"),
    ],
)
def test_a_mistake_in_a_command_is_followed_by_what_to_do(
    small: Hpo, typed: str, said: str
) -> None:
    ended = small(*typed.split())
    assert ended.status == 2
    assert said in ended.err
