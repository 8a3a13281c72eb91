"""Arguments from the output of ``--help``, for programs that are not Python."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hpo_core.draft.argument import Argument, Kind
from hpo_core.model.errors import Fault, InvalidInput

_SECONDS = 60

_ROW = re.compile(
    r"^\s*(?:-\w(?:[ =][\[<]?[\w.-]+[\]>]?)?,?\s+)?(?P<option>--[A-Za-z][\w.-]*)"
    r"(?:(?P<join>[ =]|\[=)(?P<value><[^>]+>|\{[^}]+\}|\[[^\]]+\]|[A-Z][A-Z0-9_|.-]*|int|float|"
    r"double|num(?:ber)?|string|str|path|file)\]?)?(?:\s{2,}|\t|$)(?P<help>.*)$"
)
_DEFAULT = re.compile(r"default(?:s to|:| is|=)?\s*[:=]?\s*['\"`]?([^\s)\]'\"`;,]+)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)$")
_WORDS: dict[Kind, tuple[str, ...]] = {
    "float": ("float", "double", "num", "number", "real", "f64", "f32"),
    "int": ("int", "integer", "n", "usize", "u64", "i64", "count"),
    "path": ("path", "file", "dir", "directory", "folder"),
}


def by_help(program: Sequence[str]) -> list[Argument]:
    """Run a program with ``--help``, and return its arguments.

    Raises:
        InvalidInput: If it cannot be run, or lists no options.
    """
    try:
        ran = subprocess.run(
            [*program, "--help"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InvalidInput([Fault(program[-1], f"could not be run with --help: {error}")]) from None
    printed = (ran.stdout + b"\n" + ran.stderr).decode(errors="replace")
    found = in_help(printed)
    if not found:
        shown = "\n".join(printed.strip().splitlines()[:5])
        message = f"names no options such as --lr in its --help, which begins:\n{shown}"
        raise InvalidInput([Fault(program[-1], message)])
    return found


def in_help(text: str) -> list[Argument]:
    """Return the arguments that a help text lists."""
    found: dict[str, Argument] = {}
    lines = text.splitlines()
    for place, line in enumerate(lines):
        row = _ROW.match(line)
        if row is None or row["option"] in ("--help", "--version", "--no-help"):
            continue
        said = " ".join([row["help"], *_continued(lines[place + 1 :])]).strip()
        argument = _argument(row["option"], row["value"] or "", said, joined=row["join"] == "=")
        found.setdefault(argument.name, argument)
    return list(found.values())


def _continued(lines: Sequence[str]) -> list[str]:
    """Return the lines that continue an explanation."""
    found: list[str] = []
    for line in lines[:4]:
        if not line.startswith("        ") or _ROW.match(line):
            break
        found.append(line.strip())
    return found


def _argument(option: str, value: str, said: str, *, joined: bool) -> Argument:
    name = option.lstrip("-").replace("-", "_").replace(".", "_")
    default = _default(said)
    about: dict[str, Any] = {"name": name, "option": option, "help": said, "joined": joined}
    if value.startswith("{") or (value.startswith(("[", "<")) and "|" in value):
        choices = tuple(filter(None, re.split(r"[,|]", value.strip("{}[]<>"))))
        return Argument(kind="choice", choices=choices, default=default, **about)
    if not value and default is None:
        return Argument(kind="flag", default=False, flag=(option, ""), **about)
    word = value.strip("<>[]=").lower()
    declared = next((kind for kind, words in _WORDS.items() if word in words), None)
    if isinstance(default, float | int):
        kind: Kind = "float" if declared == "float" or isinstance(default, float) else "int"
        return Argument(kind=kind, default=float(default) if kind == "float" else default, **about)
    return Argument(kind=declared or "text", default=default, **about)


def _default(said: str) -> Any:
    found = _DEFAULT.search(said)
    if found is None:
        return None
    text = found[1].rstrip(".") if not _NUMBER.match(found[1]) else found[1]
    if not _NUMBER.match(text):
        return text
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)


def program_of(script: Path) -> list[str]:
    """Return the command that runs a script, from its suffix."""
    runners = {".py": ["{python}"], ".r": ["Rscript"], ".jl": ["julia"], ".sh": ["sh"],
               ".js": ["node"], ".rb": ["ruby"], ".pl": ["perl"], ".lua": ["lua"]}  # fmt: skip
    runner = runners.get(script.suffix.lower())
    if runner is not None:
        return [*runner, str(script)]
    return [str(script) if "/" in str(script) else f"./{script}"]
