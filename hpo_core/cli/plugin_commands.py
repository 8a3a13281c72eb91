"""Commands that plugins bring by the entry-point group ``hpo_core.commands``.

They are found in the files of metadata on the path, read here as text: `importlib.metadata` takes
longer to import than all of ``hpo --help`` may take. A command's module is imported when the
command is called, and no sooner.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import click

from hpo_core.model.errors import BrokenPlugin, DuplicatePlugin

GROUP = "hpo_core.commands"

PACKAGES: Mapping[str, str] = {}
"""Which package brings a command that is not installed; only packages that exist are here."""


class PluginCommand(NamedTuple):
    """A command of an installed distribution, as its metadata says.

    Attributes:
        name: The entry point's name: the command's.
        target: Where it is, ``module:name``.
        distribution: The distribution that brings it.
        version: That distribution's version.
        summary: One line: the distribution's summary.
    """

    name: str
    target: str
    distribution: str
    version: str
    summary: str

    def __str__(self) -> str:
        return f"{self.name!r} ({self.distribution} {self.version})"


def installed() -> dict[str, list[PluginCommand]]:
    """Return every command that is installed, by its name; more than one of a name is a fault."""
    found: dict[str, dict[str, PluginCommand]] = {}
    for information in _metadata_folders():
        for command in _commands_of(information):
            named = found.setdefault(command.name, {})
            named.setdefault(command.distribution, command)  # the first on the path counts
    return {name: list(found[name].values()) for name in sorted(found)}


def load(name: str, candidates: list[PluginCommand]) -> click.Command:
    """Import a command.

    Args:
        name: Its name.
        candidates: What is installed of that name.

    Raises:
        DuplicatePlugin: If two distributions bring it.
        BrokenPlugin: If it can't be imported, or is not a command of click.
    """
    command = candidates[0]
    if len(candidates) > 1:
        both = " and ".join(f"{each.distribution} {each.version}" for each in candidates)
        raise DuplicatePlugin(
            f"two installed distributions bring a command {name!r}: {both}; uninstall one of them"
        )
    module, _, attribute = command.target.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute or name.replace("-", "_"))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise BrokenPlugin(
            f"the command {command} can't be loaded from {command.target}: {said}; "
            f"install another version of {command.distribution}"
        ) from error
    if not isinstance(found, click.Command):
        raise BrokenPlugin(
            f"the command {command} is broken: {command.target} is {found!r}, and no click.Command"
        )
    return found


def missing(name: str, packages: Mapping[str, str] = PACKAGES) -> str:
    """Return what to install for a command that is not there; ``""`` if no package is known."""
    return f"; pip install {packages[name]}" if name in packages else ""


# -- metadata, as text ----------------------------------------------------------------------


def _metadata_folders() -> Iterator[str]:
    for entry in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(entry or "."))
        except OSError:  # a zip file, or a folder that does not exist
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                yield os.path.join(entry, name)


def _commands_of(information: str) -> Iterator[PluginCommand]:
    lines = _lines(information, "entry_points.txt")
    if f"[{GROUP}]" not in lines:
        return
    origin: dict[str, str] = {}
    for line in _lines(information, "METADATA") or _lines(information, "PKG-INFO"):
        if not line:
            break  # the description follows
        key, _, value = line.partition(": ")
        origin.setdefault(key, value)
    distribution, version = origin.get("Name", "an unnamed distribution"), origin.get("Version", "")
    group = ""
    for line in lines:
        name, equals, target = (part.strip() for part in line.partition("="))
        if line.startswith("["):
            group = line
        elif group == f"[{GROUP}]" and equals and not name.startswith(("#", ";")):
            target = target.partition("[")[0].strip()  # without extras
            yield PluginCommand(name, target, distribution, version, origin.get("Summary", ""))


def _lines(folder: str, name: str) -> list[str]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return [line.strip() for line in file]
    except OSError:
        return []
