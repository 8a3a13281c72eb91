"""Explanations why a program could not be started, from the system's error and the file."""

import os
import subprocess
from pathlib import Path

import pytest

from hpo_core.backends.explain import broken_first_line, cannot_start


def why_not(folder: Path, *arguments: str) -> str:
    """Start a command that can't be started, and return the sentence."""
    try:
        subprocess.run(arguments, cwd=folder, check=False)
    except (OSError, ValueError) as error:
        return cannot_start(arguments, str(folder), error)
    pytest.fail(f"{arguments} could be started")


def script(folder: Path, content: bytes, mode: int = 0o755) -> str:
    path = folder / "job.sh"
    path.write_bytes(content)
    path.chmod(mode)
    return "./job.sh"


def test_missing_program_is_reported_as_missing(tmp_path: Path) -> None:
    assert why_not(tmp_path, "./job.sh") == (
        f"cannot start './job.sh': no such file, in {tmp_path} or on PATH; check job.command"
    )


def test_a_program_of_the_folder_needs_its_path(tmp_path: Path) -> None:
    script(tmp_path, b"#!/bin/sh\n")
    said = why_not(tmp_path, "job.sh")
    assert "not on PATH" in said
    assert said.endswith("write './job.sh'")


def test_a_script_with_windows_line_ends_is_told_from_a_missing_one(tmp_path: Path) -> None:
    said = why_not(tmp_path, script(tmp_path, b"#!/bin/sh\r\necho 1\r\n"))
    assert "CR LF" in said
    assert "the file exists" in said
    assert "'/bin/sh\\r'" in said
    assert "no such file" not in said


def test_windows_line_ends_are_seen_where_env_starts_the_interpreter(tmp_path: Path) -> None:
    name = script(tmp_path, b"#!/usr/bin/env sh\r\necho 1\r\n")
    assert subprocess.run([name], cwd=tmp_path, check=False, capture_output=True).returncode == 127
    assert "CR LF" in broken_first_line(str(tmp_path / name))


def test_a_missing_interpreter_is_named(tmp_path: Path) -> None:
    said = why_not(tmp_path, script(tmp_path, b"#!/usr/bin/pyhton -u\nprint(1)\n"))
    assert "the interpreter in its first line, '/usr/bin/pyhton', does not" in said


def test_a_byte_order_mark_before_the_first_line_is_named(tmp_path: Path) -> None:
    said = why_not(tmp_path, script(tmp_path, b"\xef\xbb\xbf#!/bin/sh\necho 1\n"))
    assert "byte order mark (BOM)" in said


def test_script_without_a_shebang_line_cannot_be_started(tmp_path: Path) -> None:
    assert "begin it with a #! line" in why_not(tmp_path, script(tmp_path, b"echo 1\n"))


def test_a_file_that_may_not_be_executed_says_how_to_allow_it(tmp_path: Path) -> None:
    assert "chmod +x" in why_not(tmp_path, script(tmp_path, b"#!/bin/sh\n", mode=0o644))


def test_folder_is_not_a_program(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "job")
    assert "it is a folder" in why_not(tmp_path, "./job")


def test_binary_for_another_system_is_not_reported_as_missing(tmp_path: Path) -> None:
    true = Path("/bin/true").resolve().read_bytes()
    loader = true[true.index(b"/lib") :].split(b"\0")[0]
    said = why_not(tmp_path, script(tmp_path, true.replace(loader, b"/nix" + loader[4:], 1)))
    assert "built for another system" in said


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"#!", b"echo\r\n", b"\x7fELF\r\n"])
def test_a_sound_first_line_has_nothing_wrong(tmp_path: Path, content: bytes) -> None:
    script(tmp_path, content)
    assert broken_first_line(str(tmp_path / "job.sh")) == ""


def test_an_argument_that_no_process_can_have_is_told_as_it_is(tmp_path: Path) -> None:
    assert why_not(tmp_path, "true", "a\0b") == "cannot start 'true': embedded null byte"
