"""Read the entry points of a group from metadata as text; only the entries used are imported.

`importlib.metadata` alone takes longer to import than ``hpo --help`` may take. This module is for
entry points of a single object each (a command, a plot); `hpo_core.registry` finds plugins with
hooks.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from hpo_core.model.errors import BrokenPlugin, DuplicatePlugin


class Entry(NamedTuple):
    """An entry point of an installed distribution, from its metadata.

    Attributes:
        name: The name of the entry point.
        target: The target, ``module:name``.
        distribution: The distribution that provides it.
        version: That distribution's version.
        summary: The distribution's summary, one line.
    """

    name: str
    target: str
    distribution: str
    version: str
    summary: str

    def __str__(self) -> str:
        return f"{self.name!r} ({self.distribution} {self.version})"


def installed(group: str) -> dict[str, list[Entry]]:
    """Return all entries of a group by name. Two entries of the same name are a fault."""
    found: dict[str, dict[str, Entry]] = {}
    for information in _metadata_folders():
        for entry in _entries_of(information, group):
            named = found.setdefault(entry.name, {})
            named.setdefault(entry.distribution, entry)  # the first one on the path is used
    return {name: list(found[name].values()) for name in sorted(found)}


def load(kind: str, candidates: list[Entry]) -> Any:
    """Import the target of an entry.

    Args:
        kind: The kind of object, for messages.
        candidates: The installed entries of this name.

    Raises:
        DuplicatePlugin: If two distributions provide it.
        BrokenPlugin: If it can't be imported.
    """
    entry = candidates[0]
    if len(candidates) > 1:
        both = " and ".join(f"{each.distribution} {each.version}" for each in candidates)
        raise DuplicatePlugin(
            f"two installed distributions provide a {kind} {entry.name!r}: {both}; uninstall "
            f"one of "
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


# -- parsing of metadata ----------------------------------------------------------------------


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
