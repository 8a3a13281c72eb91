"""Commands that plugins provide by the entry-point group ``hpo_core.commands``.

They are found in metadata, and a command's module is imported when it is called, and no sooner.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from hpo_core import entries
from hpo_core.entries import Entry
from hpo_core.model.errors import BrokenPlugin

GROUP = "hpo_core.commands"

PACKAGES: Mapping[str, str] = {"report": "hpo-view"}
"""Which package provides a command that is not installed; only packages that exist are here."""


def installed() -> dict[str, list[Entry]]:
    """Return every command that is installed, by its name; more than one of a name is a fault."""
    return entries.installed(GROUP)


def load(candidates: list[Entry]) -> click.Command:
    """Import a command.

    Args:
        candidates: What is installed of its name.

    Raises:
        DuplicatePlugin: If two distributions provide it.
        BrokenPlugin: If it can't be imported, or is not a command of click.
    """
    found = entries.load("command", candidates)
    if not isinstance(found, click.Command):
        command = candidates[0]
        raise BrokenPlugin(
            f"the command {command} is broken: {command.target} is {found!r}, and no click.Command"
        )
    return found


def missing(name: str, packages: Mapping[str, str] = PACKAGES) -> str:
    """Return what to install for a command that is not there; ``""`` if no package is known."""
    return f"; pip install {packages[name]}" if name in packages else ""
