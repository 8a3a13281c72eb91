"""Entry points of one group, read from metadata as text: nothing is imported but what is used.

`importlib.metadata` takes longer to import than all of ``hpo --help`` may take. These are entry
points that stand for one thing each (a command, a plot); plugins with hooks are found by
`hpo_core.registry`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from hpo_core.model.errors import BrokenPlugin, DuplicatePlugin


class Entry(NamedTuple):
    """An entry point of an installed distribution, as its metadata says.

    Attributes:
        name: Its name.
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


def installed(group: str) -> dict[str, list[Entry]]:
    """Return every entry of a group, by its name; more than one of a name is a fault."""
    found: dict[str, dict[str, Entry]] = {}
    for information in _metadata_folders():
        for entry in _entries_of(information, group):
            named = found.setdefault(entry.name, {})
            named.setdefault(entry.distribution, entry)  # the first on the path counts
    return {name: list(found[name].values()) for name in sorted(found)}


def load(kind: str, candidates: list[Entry]) -> Any:
    """Import what an entry stands for.

    Args:
        kind: What it is, for messages.
        candidates: What is installed of its name.

    Raises:
        DuplicatePlugin: If two distributions bring it.
        BrokenPlugin: If it can't be imported.
    """
    entry = candidates[0]
    if len(candidates) > 1:
        both = " and ".join(f"{each.distribution} {each.version}" for each in candidates)
        raise DuplicatePlugin(
            f"two installed distributions bring a {kind} {entry.name!r}: {both}; uninstall one of "
            "them"
        )
    module, _, attribute = entry.target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute or entry.name.replace("-", "_"))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise BrokenPlugin(
            f"the {kind} {entry} can't be loaded from {entry.target}: {said}; "
            f"install another version of {entry.distribution}"
        ) from error


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


def _entries_of(information: str, group: str) -> Iterator[Entry]:
    lines = _lines(information, "entry_points.txt")
    header = f"[{group}]"
    if header not in lines:
        return
    origin: dict[str, str] = {}
    for line in _lines(information, "METADATA") or _lines(information, "PKG-INFO"):
        if not line:
            break  # the description follows
        key, _, value = line.partition(": ")
        origin.setdefault(key, value)
    distribution, version = origin.get("Name", "an unnamed distribution"), origin.get("Version", "")
    section = ""
    for line in lines:
        name, equals, target = (part.strip() for part in line.partition("="))
        if line.startswith("["):
            section = line
        elif section == header and equals and not name.startswith(("#", ";")):
            target = target.partition("[")[0].strip()  # without extras
            yield Entry(name, target, distribution, version, origin.get("Summary", ""))


def _lines(folder: str, name: str) -> list[str]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return [line.strip() for line in file]
    except OSError:
        return []
