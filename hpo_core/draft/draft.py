"""Read a script, guess the parameters, and draft the study file."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from hpo_core.draft.argument import Argument
from hpo_core.draft.by_argparse import by_absl, by_argparse
from hpo_core.draft.by_click import by_click
from hpo_core.draft.by_help import by_help, program_of
from hpo_core.draft.by_signature import by_signature
from hpo_core.draft.printed import Found, printed
from hpo_core.draft.source import Source
from hpo_core.draft.study_file import Draft, drafted
from hpo_core.model.errors import Fault, InvalidInput


def draft(script: Path, folder: Path, *, run: bool = False) -> Draft:
    """Return the draft of a study of a script.

    Args:
        script: The script.
        folder: The folder of the study file, to which its paths are relative.
        run: Whether to run the script with ``--help``, and read its arguments from the output.

    Raises:
        InvalidInput: If the script cannot be read, or has no readable arguments.
    """
    if not script.is_file():
        raise InvalidInput([Fault(str(script), "there is no such file")])
    place = Path(os.path.relpath(script, folder))
    program = program_of(place)
    found, subcommand, source = Found([], None), "", None
    if script.suffix.lower() == ".py":
        source = Source(script)
        found = printed(source)
        arguments, subcommand = _arguments(source)
    elif run:
        arguments = []
    else:
        raise InvalidInput(
            [
                Fault(
                    str(script),
                    "is not Python, so its arguments are known from its --help alone; to have it "
                    "run with --help: hpo init --run",
                )
            ]
        )
    if run:
        arguments, subcommand = by_help([_real(word, script) for word in program_of(script)]), ""
    if not arguments:
        raise InvalidInput(
            [
                Fault(
                    str(script),
                    "no arguments were found (argparse, click, typer, fire, tyro, jsonargparse, "
                    "absl); if it takes any: hpo init --run reads its --help, which runs it; if it "
                    "takes none, read the parameters from the environment variable "
                    "HPO_CONFIGURATION, or give it arguments",
                )
            ]
        )
    return drafted(_name(script), program, subcommand, arguments, found, source)


def _arguments(source: Source) -> tuple[list[Argument], str]:
    """Return the arguments of a script, from whichever library it uses, and its subcommand."""
    for place in (source.alone(), source):
        for read in (by_argparse, by_click, by_signature):
            found, subcommand = read(place)
            if found:
                return found, subcommand
        if flags := by_absl(place):
            return flags, ""
    return [], ""


def _real(word: str, script: Path) -> str:
    return sys.executable if word == "{python}" else word


def _name(script: Path) -> str:
    stem = (
        script.stem
        if script.stem not in ("main", "train", "__main__")
        else script.resolve().parent.name
    )
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
    return name[:60] or "study"
