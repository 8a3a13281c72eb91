"""Why a program could not be started, in one sentence with the remedy.

The operating system also reports "No such file or directory" if the interpreter of a script is
missing. This module inspects the file to find out what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence


def cannot_start(arguments: Sequence[str], directory: str, error: OSError | ValueError) -> str:
    """Return why a command could not be started.

    Args:
        arguments: The command.
        directory: The working directory of the command.
        error: The error of the operating system.
    """
    program = arguments[0] if arguments else ""
    return f"cannot start {program!r}: {_why(program, os.path.abspath(directory), error)}"


def broken_first_line(path: str) -> str:
    """Return the fault of the first line of an existing script, or ``""``.

    If ``env`` looks up the interpreter, the script is started and ends with exit status 127.
    """
    first = _first_bytes(path)
    if first.startswith(_BYTE_ORDER_MARK):
        return (
            "the file begins with a byte order mark (BOM), so its first line is not read; save it "
            "as UTF-8 without one"
        )
    line, _, rest = first.partition(b"\n")
    if not line.startswith(b"#!") or not (rest or first.endswith(b"\n")):
        return ""
    if line.endswith(b"\r"):
        interpreter = line[2:].strip(b" ").decode(errors="replace")
        return (
            "the file exists, but its lines end in CR LF (Windows), so the system looks for the "
            f"interpreter {interpreter!r}; save it with LF (Unix) line ends"
        )
    return ""


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_FIRST_LINE = 4096


def _why(program: str, directory: str, error: OSError | ValueError) -> str:
    path = os.path.join(directory, program)
    if isinstance(error, FileNotFoundError):
        return _missing(program, path, directory)
    if os.path.isdir(path) and isinstance(error, PermissionError):
        return "it is a folder; name the program in it"
    if isinstance(error, PermissionError):
        return "it is not executable; chmod +x it, or put its interpreter before it"
    if isinstance(error, OSError) and error.strerror == "Exec format error":
        return broken_first_line(path) or (
            "it is not a program; begin it with a #! line, or put its interpreter before it"
        )
    return str(error)


def _missing(program: str, path: str, directory: str) -> str:
    """Return what is missing: the program, its interpreter or a library."""
    if not os.path.exists(path):
        return f"no such file, in {directory} or on PATH; check job.command"
    if os.sep not in program:
        return (
            f"it is not on PATH, but there is such a file in {directory}; write {f'./{program}'!r}"
        )
    if broken := broken_first_line(path):
        return broken
    line = _first_bytes(path).partition(b"\n")[0]
    if line.startswith(b"#!"):
        interpreter = line[2:].strip().decode(errors="replace").partition(" ")[0]
        return (
            f"the file exists, but the interpreter in its first line, {interpreter!r}, does "
            f"not; correct that line, or put an interpreter before the file in job.command"
        )
    return "the file exists, but a library that it needs does not; it was built for another system"


def _first_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LONGEST_FIRST_LINE)
    except OSError:
        return b""
