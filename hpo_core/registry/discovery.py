"""Find the installed plugins from their metadata, without importing them.

The entry-point group is the version of the contracts that a plugin supports: ``hpo_core`` is 1, and
``hpo_core.v2`` is 2. So an unsupported version is rejected before any code of the plugin runs. A
plugin that supports two versions has an entry in both groups.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint
from typing import NamedTuple

import msgspec

from hpo_core.contracts import CONTRACT_VERSION
from hpo_core.contracts.hookspecs import PROJECT
from hpo_core.model.errors import listed

SPOKEN = (CONTRACT_VERSION,)
"""The versions of the contracts that this core supports, newest first."""

_GROUP = re.compile(rf"{PROJECT}(?:\.v([1-9]\d*))?")


class Identity(msgspec.Struct, frozen=True):
    """The identity of a plugin, as stored with a study.

    Attributes:
        name: The entry point's name.
        distribution: The installed distribution that provides it.
        version: That distribution's version.
        contract: The version of the contracts that it supports.
    """

    name: str
    distribution: str
    version: str
    contract: int = 1

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"


class Found(NamedTuple):
    """An installed plugin.

    Attributes:
        identity: The identity of the plugin.
        entry: The entry point; None if the metadata cannot be read.
        fault: Why it cannot be used, according to its metadata; empty if there is no such reason.
    """

    identity: Identity
    entry: EntryPoint | None
    fault: str = ""


def installed() -> list[Identity]:
    """Return all installed plugins from metadata, without importing them."""
    return [found.identity for found in scan()]


def scan() -> list[Found]:
    """Return all installed plugins sorted by name, each name of a distribution once.

    A study asks several times, so a folder of ``sys.path`` is read again only if it has changed.
    """
    plugins: dict[tuple[str, str], Found] = {}
    for folder in sys.path:
        place = os.path.abspath(folder)  # "" is the current directory
        for found in _plugins_in(place, _changed(place)):
            key = found.identity.name, found.identity.distribution
            plugins.setdefault(key, found)  # the first one on the path is used
    return [plugins[key] for key in sorted(plugins)]


def _changed(folder: str) -> int | None:
    """Return when an entry was last added to a folder or removed; None if it cannot be read."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


@lru_cache(maxsize=100)
def _plugins_in(folder: str, changed: int | None) -> tuple[Found, ...]:
    """Return the plugins whose metadata is in a folder of ``sys.path``."""
    distributions = importlib.metadata.distributions(path=[folder])
    return tuple(found for each in distributions for found in _plugins_of(each))


def _plugins_of(distribution: Distribution) -> list[Found]:
    try:
        entries = [
            (contract, entry)
            for entry in distribution.entry_points
            if (contract := _contract(entry.group))
        ]
    except Exception as error:  # noqa: BLE001  # a third-party file may have any content
        return _unreadable(distribution, error)
    if not entries:
        return []
    name, version = _origin(distribution)
    found: dict[str, Found] = {}
    for contract, entry in sorted(entries, key=lambda pair: _preference(pair[0])):
        identity = Identity(entry.name, name, version, contract)
        found.setdefault(entry.name, Found(identity, entry, _not_spoken(identity)))
    return list(found.values())


def _contract(group: str) -> int | None:
    """Return the version of the contracts of an entry-point group, or None."""
    named = _GROUP.fullmatch(group)
    return int(named[1] or 1) if named else None


def _preference(contract: int) -> int:
    return SPOKEN.index(contract) if contract in SPOKEN else len(SPOKEN) + contract


def _not_spoken(plugin: Identity) -> str:
    if plugin.contract in SPOKEN:
        return ""
    older, newer = (
        ("another", "a newer") if plugin.contract > SPOKEN[0] else ("a newer", "an older")
    )
    return (
        f"the plugin {plugin} supports version {plugin.contract} of the contracts, and this "
        f"hpo-core "
        f"supports {listed([str(version) for version in SPOKEN])}: install "
        f"{newer} hpo-core, or "
        f"{older} version of {plugin.distribution}"
    )


def _unreadable(distribution: Distribution, error: Exception) -> list[Found]:
    """Return a placeholder for a distribution whose entry points cannot be read."""
    try:
        text = distribution.read_text("entry_points.txt") or ""
    except Exception:  # noqa: BLE001  # as above; the unreadable part may be a plugin
        text = PROJECT
    if PROJECT not in text:
        return []
    name, version = _origin(distribution)
    said = " ".join(f"{type(error).__name__}: {error}".split())
    fault = f"the entry points of {name} {version} can't be read ({said}): install it again"
    return [Found(Identity(name, name, version), None, fault)]


def _origin(distribution: Distribution) -> tuple[str, str]:
    """Return a distribution's name and version, or placeholders if its metadata is incomplete."""
    try:
        return distribution.metadata["Name"] or _NAMELESS, distribution.version or _NO_VERSION
    except Exception:  # noqa: BLE001  # as above
        return _NAMELESS, _NO_VERSION


_NAMELESS, _NO_VERSION = "an unnamed distribution", "of no version"
