"""Shell completion for `hpo`, and the next steps that `hpo` alone prints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete, get_completion_class

from hpo_core.cli.main import hpo as group


def completed(shell: str, *words: str) -> list[str]:
    """Return what a shell is told that could stand in place of the last word."""
    kind = get_completion_class(shell)
    assert kind is not None
    complete: ShellComplete = kind(group, {}, "hpo", "_HPO_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_names_of_studies_are_completed(small: Any, shell: str) -> None:
    small("copy", "small", "--to", "other.db")
    small("rename", "small", "other", "--store", "other.db", "--yes")
    assert completed(shell, "top", "") == ["small"]
    assert completed(shell, "top", "x") == []
    assert completed(shell, "top", "--store", "other.db", "") == ["other"]


def test_commands_options_and_plugins_are_completed(folder: Path) -> None:
    assert completed("bash", "ren") == ["rename"]
    assert completed("bash", "run", "--jo") == ["--jobs"]
    assert completed("bash", "run", "--strategy", "rand") == ["random"]
    assert completed("bash", "run", "--backend", "l") == ["local"]


def test_a_store_that_can_not_be_read_has_no_names(folder: Path) -> None:
    assert completed("bash", "top", "") == []
    (folder / "hpo.db").write_text("no store")
    assert completed("bash", "top", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_code_for_a_shell_asks_hpo(hpo: Any, shell: str) -> None:
    code = hpo("completion", shell)
    assert code.status == 0
    assert f"_HPO_COMPLETE={shell}_complete" in code.out


def test_bash_completes_with_that_code(small: Any, folder: Path) -> None:
    (folder / "completion.sh").write_text(small("completion", "bash").out)
    asks = 'COMP_WORDS=(hpo show ""); COMP_CWORD=2; _hpo_completion hpo; echo "${COMPREPLY[@]}"'
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", f". ./completion.sh; {asks}"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert (ran.stdout, ran.stderr) == ("small\n", "")


# -- hpo alone ------------------------------------------------------------------------------


def test_where_there_is_nothing_it_begins_with_a_script(hpo: Any, folder: Path) -> None:
    ended = hpo()
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(
        "What to do next:\n"
        "    hpo init train.py    draft a study file for a script of yours\n\nUsage: "
    )


def test_study_files_and_stored_studies_are_named_with_what_suits_them(small: Any) -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n")
    told = small().err.partition("\n\n")[0].splitlines()
    assert [line.split("  ")[2] for line in told[1:]] == [
        "hpo top small", "hpo try study.toml", "hpo run study.toml",
    ]  # fmt: skip
    assert told[1].endswith("the study small is finished")


def test_damaged_store_gives_no_traceback(hpo: Any, folder: Path) -> None:
    (folder / "hpo.db").write_text("no store")
    ended = hpo()
    assert ended.status == 2
    assert "    hpo studies  " in ended.err
