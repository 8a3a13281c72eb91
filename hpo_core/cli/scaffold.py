"""The commands `new-strategy` and `new-backend`, which create the package of a plugin."""

from __future__ import annotations

from pathlib import Path

import click

from hpo_core.cli.common import json_option, print_json
from hpo_core.model.text import printable


@click.command("new-strategy", epilog="Example: hpo new-strategy my-search --directory ~/code")
@click.argument("name")
@click.option(
    "--directory",
    metavar="DIR",
    default=".",
    show_default=True,
    help="The parent of the new folder hpo-NAME.",
)
@click.option(
    "--asktell",
    is_flag=True,
    help="Create a strategy for a library with ask and tell, based on AskTell.",
)
@json_option
def new_strategy_command(name: str, directory: str, asktell: bool, as_json: bool) -> None:
    """Create a package with a working strategy NAME, its tests and its settings.

    The folder hpo-NAME must be empty or not exist.
    """
    from hpo_core import scaffold

    _tell(
        name, scaffold.write(name, Path(directory), asktell=asktell), f"hpo check {name}", as_json
    )


@click.command("new-backend", epilog="Example: hpo new-backend my-cluster --directory ~/code")
@click.argument("name")
@click.option(
    "--directory",
    metavar="DIR",
    default=".",
    show_default=True,
    help="The parent of the new folder hpo-NAME.",
)
@json_option
def new_backend_command(name: str, directory: str, as_json: bool) -> None:
    """Create a package with a working backend NAME, its tests and its settings.

    The folder hpo-NAME must be empty or not exist.
    """
    from hpo_core import scaffold

    _tell(name, scaffold.write_backend(name, Path(directory)), "pytest", as_json)


def _tell(name: str, paths: list[Path], check: str, as_json: bool) -> None:
    """Print what was written, and what comes next."""
    folder, *files = paths
    written = [str(file.relative_to(folder)) for file in files]
    if as_json:
        print_json({"name": name, "folder": str(folder), "files": written})
        return
    print(f"wrote {printable(str(folder))}:")
    for file in written:
        print(f"    {file}")
    print("next:")
    print(f"    pip install -e '{printable(str(folder))}[test]'")
    print(f"    {check}")
    print("The licence is your choice: add a file LICENSE, and name it in pyproject.toml.")
