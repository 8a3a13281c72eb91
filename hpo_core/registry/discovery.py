"""Which plugins are installed, from their metadata alone: nothing of theirs is imported.

The entry-point group says which version of the contracts a plugin speaks: ``hpo_core`` is 1, and
``hpo_core.v2`` is 2. So a version that this core does not speak is refused before any of the
plugin's code runs, and a plugin that speaks two of them has an entry in both groups.
"""

from __future__ import annotations

import importlib.metadata
import re
from importlib.metadata import Distribution, EntryPoint
from typing import NamedTuple

import msgspec

from hpo_core.contracts import CONTRACT_VERSION
from hpo_core.contracts.hookspecs import PROJECT
from hpo_core.model.errors import listed

SPOKEN = (CONTRACT_VERSION,)
"""The versions of the contracts that this core speaks, the newest first."""

_GROUP = re.compile(rf"{PROJECT}(?:\.v([1-9]\d*))?")


class Identity(msgspec.Struct, frozen=True):
    """Which plugin it is, as a study keeps it.

    Attributes:
        name: The entry point's name.
        distribution: The installed distribution that provides it.
        version: That distribution's version.
        contract: The version of the contracts that it speaks.
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
        identity: Which it is.
        entry: Where its code is; None if its metadata can't be read.
        fault: Why it can't be used, so far as metadata tells; empty if it tells nothing.
    """

    identity: Identity
    entry: EntryPoint | None
    fault: str = ""


def installed() -> list[Identity]:
    """Return every installed plugin, from metadata alone: nothing is imported."""
    return [found.identity for found in scan()]


def scan() -> list[Found]:
    """Return every installed plugin, sorted by name; of a distribution once for each name."""
    plugins: dict[tuple[str, str], Found] = {}
    for distribution in importlib.metadata.distributions():
        for found in _plugins_of(distribution):
            key = found.identity.name, found.identity.distribution
            plugins.setdefault(key, found)  # the first on the path counts
    return [plugins[key] for key in sorted(plugins)]


def _plugins_of(distribution: Distribution) -> list[Found]:
    try:
        entries = [
            (contract, entry)
            for entry in distribution.entry_points
            if (contract := _contract(entry.group))
        ]
    except Exception as error:  # noqa: BLE001  # a stranger's file may hold anything
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
    """Return which version of the contracts an entry-point group is for; None if for none."""
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
        f"the plugin {plugin} speaks version {plugin.contract} of the contracts, and this hpo-core "
        f"speaks {listed([str(version) for version in SPOKEN])}: install {newer} hpo-core, or "
        f"{older} version of {plugin.distribution}"
    )


def _unreadable(distribution: Distribution, error: Exception) -> list[Found]:
    """Show a distribution that may provide a plugin, though its entry points can't be read."""
    try:
        text = distribution.read_text("entry_points.txt") or ""
    except Exception:  # noqa: BLE001  # as above; what can't be read may be about a plugin
        text = PROJECT
    if PROJECT not in text:
        return []
    name, version = _origin(distribution)
    said = " ".join(f"{type(error).__name__}: {error}".split())
    fault = f"the entry points of {name} {version} can't be read ({said}): install it again"
    return [Found(Identity(name, name, version), None, fault)]


def _origin(distribution: Distribution) -> tuple[str, str]:
    """Return a distribution's name and version, or what stands for them in half a one."""
    try:
        return distribution.metadata["Name"] or _NAMELESS, distribution.version or _NO_VERSION
    except Exception:  # noqa: BLE001  # as above
        return _NAMELESS, _NO_VERSION


_NAMELESS, _NO_VERSION = "an unnamed distribution", "of no version"
