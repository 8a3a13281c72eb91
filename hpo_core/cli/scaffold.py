"""The command that writes the package of a new strategy."""

from __future__ import annotations

from pathlib import Path

import click

from hpo_core.model.text import printable


@click.command("new-strategy", epilog="Example: hpo new-strategy my-search --directory ~/code")
@click.argument("name")
@click.option(
    "--directory",
    metavar="DIR",
    default=".",
    show_default=True,
    help="Where the folder hpo-NAME is made.",
)
@click.option(
    "--asktell",
    is_flag=True,
    help="Write a strategy for a library that is asked and told, by AskTell.",
)
def new_strategy_command(name: str, directory: str, asktell: bool) -> None:
    """Write a package with a strategy NAME that works, its tests, and its settings.

    The folder hpo-NAME must not exist, or be empty.
    """
    from hpo_core import scaffold

    folder, *files = scaffold.write(name, Path(directory), asktell=asktell)
    print(f"wrote {printable(str(folder))}:")
    for file in files:
        print(f"    {file.relative_to(folder)}")
    print("next:")
    print(f"    pip install -e '{printable(str(folder))}[test]'")
    print(f"    hpo check {name}")
    print("The licence is your choice: add a file LICENSE, and name it in pyproject.toml.")
