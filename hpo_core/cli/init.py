"""The command that drafts a study file from a script."""

from __future__ import annotations

from pathlib import Path

import click

from hpo_core.cli.common import json_option, print_json
from hpo_core.model.errors import Fault, InvalidInput
from hpo_core.model.text import counted, printable


@click.command("init", epilog="Example: hpo init train.py")
@click.argument("script", metavar="SCRIPT")
@click.option(
    "-o", "output", metavar="FILE", default="study.toml", show_default=True, help="The study file."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--run", is_flag=True, help="Run SCRIPT with --help to learn its arguments.")
@json_option
def init_command(script: str, output: str, force: bool, run: bool, as_json: bool) -> None:
    """Draft a study file for SCRIPT, from its arguments and from what it prints.

    A Python script is read and not run. Ranges are guesses; what could not be guessed is a
    question in the file.
    """
    from hpo_core.draft.draft import draft
    from hpo_core.draft.study_file import as_json as plain

    path = Path(output)
    made = draft(Path(script), path.parent, run=run)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(made.text)
    except FileExistsError:
        message = f"{output} exists; --force replaces it, or give another name"
        raise InvalidInput([Fault("-o", message)]) from None
    except OSError as error:
        raise InvalidInput([Fault("-o", f"cannot write {output}: {error.strerror}")]) from None
    if as_json:
        print_json({"file": str(path), **plain(made)})
        return
    print(f"wrote {printable(output)}: {counted(len(made.searched), 'parameter')} to search")
    print(f"    {printable(' '.join(made.command))}")
    print(f"    objective: {made.direction} {printable(made.objective)}")
    for question in made.questions:
        print(f"  ? {printable(question)}")
    print(f"next: look at the ranges, then: hpo try {printable(output)}")
