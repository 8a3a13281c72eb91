"""The command `plugins`, which lists the installed plugins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from hpo_core import entries, registry
from hpo_core.cli import main, plugin_commands, tables
from hpo_core.cli.common import json_option, print_json
from hpo_core.model.text import first_line
from hpo_core.registry import Described, Identity, index
from hpo_core.study import plots

_KINDS = ("strategy", "backend", "work", "observer", "reader", "exchange", "command", "plot")


@click.command("plugins", epilog="Example: hpo plugins --search forest")
@click.option(
    "--search",
    metavar="WORD",
    help="Only what has this text in its name, summary, package or capabilities.",
)
@json_option
def plugins_command(search: str | None, as_json: bool) -> None:
    """List the installed plugins: what they provide, their versions, and why one fails.

    They are loaded in another process, so a plugin that hangs or crashes is listed like any other.
    A search also covers the index that the environment variable HPO_PLUGIN_INDEX names, a file
    with the output of `hpo plugins --json`; what is not installed is marked.
    """
    described = [*map(_plain, registry.describe()), *_entries()]
    if search is not None:
        here = {(found["name"], found["distribution"]) for found in described}
        absent = [
            {**found, "installed": False}
            for found in index.configured()
            if (found["name"], found["distribution"]) not in here
        ]
        described = [found for each in [*described, *absent] if (found := _matching(each, search))]
    if as_json:
        print_json(described)
        return
    rows = []
    for found in described:
        origin = f"{found['distribution']} {found['version']}"
        if not found.get("installed", True):
            origin += " (not installed)"
        if found["failure"]:
            rows.append([found["name"], "FAILS", origin, first_line(found["failure"]), ""])
        if found["printed"]:
            said = f"prints when it is loaded: {first_line(found['printed'])}"
            rows.append([found["name"], "PRINTS", origin, said, ""])
        for kind in _KINDS:
            for spec in found[kind]:
                able = ", ".join(spec.get("capabilities", ()))
                rows.append([spec["name"], kind, origin, spec["summary"], able])
        if found["observers"] and not found["observer"]:
            rows.append([found["name"], "observers", origin, "", ""])
    if search is not None and not rows:
        print(f"no plugin has {search!r} in its name, summary, package or capabilities")
        return
    print(tables.lay_out(["name", "kind", "from", "summary", "capabilities"], rows))


def _matching(found: dict[str, Any], word: str) -> dict[str, Any] | None:
    """Return what matches of a plugin, whatever the case, or None if nothing does."""

    def has(*texts: str) -> bool:
        return any(word.casefold() in text.casefold() for text in texts)

    if has(found["name"], found["distribution"]):
        return found
    kept = {
        kind: [
            spec
            for spec in found[kind]
            if has(spec["name"], spec["summary"], *spec.get("capabilities", ()))
        ]
        for kind in _KINDS
    }
    return {**found, **kept} if any(kept.values()) else None


def _plain(found: Described) -> dict[str, Any]:
    return {
        "name": found.plugin.name,
        "distribution": found.plugin.distribution,
        "version": found.plugin.version,
        "contract": found.plugin.contract,
        "failure": found.failure,
        "printed": found.printed,
        "strategy": [
            {
                "name": spec.name,
                "summary": spec.summary,
                "capabilities": sorted(capability.name.lower() for capability in spec.capabilities),
            }
            for spec in found.strategies
        ],
        "backend": [{"name": spec.name, "summary": spec.summary} for spec in found.backends],
        "work": [{"name": spec.name, "summary": spec.summary} for spec in found.works],
        "observer": [{"name": spec.name, "summary": spec.summary} for spec in found.observers],
        "reader": [{"name": spec.name, "summary": spec.summary} for spec in found.readers],
        "exchange": [{"name": spec.name, "summary": spec.summary} for spec in found.exchanges],
        "observers": found.has_observers,
        "command": [],
        "plot": [],
    }


def _entries() -> Iterator[dict[str, Any]]:
    """Yield the commands and plots of plugins from metadata, without importing them."""
    for kind, group in (("command", plugin_commands.GROUP), ("plot", plots.GROUP)):
        for name, candidates in entries.installed(group).items():
            for entry in candidates:
                failure = None
                if kind == "command" and name in main.BUILT_IN:
                    failure = f"hpo has a built-in command {name!r}, which is used instead"
                elif len(candidates) > 1:
                    failure = (
                        f"several distributions provide a {kind} {name!r}: uninstall the others"
                    )
                identity = Identity(name, entry.distribution, entry.version)
                announced = [{"name": name, "summary": entry.summary}]
                yield {**_plain(Described(identity, failure=failure)), kind: announced}
