"""Programs run by `python -m hpo_core.flush`: what they write to a file is readable at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import pathlib, sys
with open("opened", "w") as one, pathlib.Path("path").open("a") as other:
    one.write("epoch,loss\\n")
    other.write("epoch,loss\\n")
    print(sys.argv, __name__, flush=True)
    input()
    open("binary", "wb", 0).write(b"bytes")
"""


@pytest.mark.parametrize("named", [["program.py"], ["-m", "program"]])
def test_a_line_is_in_the_file_while_the_program_runs(tmp_path: Path, named: list[str]) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    running = subprocess.Popen(
        [sys.executable, "-m", "hpo_core.flush", *named, "--lr", "1"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    said = running.stdout.readline()
    assert "program.py', '--lr', '1'] __main__" in said
    assert (tmp_path / "opened").read_text() == "epoch,loss\n"
    assert (tmp_path / "path").read_text() == "epoch,loss\n"
    running.communicate("\n")
    assert running.returncode == 0
    assert (tmp_path / "binary").read_bytes() == b"bytes"


@pytest.mark.parametrize("named", [[], ["absent.py"]])
def test_without_a_program_it_says_how_to_name_one(tmp_path: Path, named: list[str]) -> None:
    command = [sys.executable, "-m", "hpo_core.flush", *named]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "usage: python -m hpo_core.flush" in ended.stderr
    assert not named or "there is no file 'absent.py'" in ended.stderr
