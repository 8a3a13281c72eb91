"""Commands that plugins provide by the entry-point group ``hpo_core.commands``.

They are found in metadata. The module of a command is imported only when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from hpo_core import entries
from hpo_core.entries import Entry
from hpo_core.model.errors import BrokenPlugin

GROUP = "hpo_core.commands"

PACKAGES: Mapping[str, str] = {"dashboard": "hpo-view", "report": "hpo-view"}
"""The packages of commands that are not installed. Only packages that exist are listed."""


def installed() -> dict[str, list[Entry]]:
    """Return all installed commands by name. Two commands with the same name are a fault."""
    return entries.installed(GROUP)


def load(candidates: list[Entry]) -> click.Command:
    """Import a command.

    Args:
        candidates: The installed entries with its name.

    Raises:
        DuplicatePlugin: If two distributions provide it.
        BrokenPlugin: If it cannot be imported, or is not a click command.
    """
    found = entries.load("command", candidates)
    if not isinstance(found, click.Command):
        command = candidates[0]
        raise BrokenPlugin(
            f"the command {command} is broken: {command.target} is {found!r}, and no click.Command"
        )
    return found


def missing(name: str, packages: Mapping[str, str] = PACKAGES) -> str:
    """Return a hint on what to install for a missing command, or ``""``."""
    return f"; pip install {packages[name]}" if name in packages else ""
