"""The publishable results of a check: a report with all versions, and a badge."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from hpo_core import __version__
from hpo_core.model.text import counted
from hpo_core.registry.discovery import Identity
from hpo_core.testing.kit import CheckOutcome, CheckResult

LABEL = "hpo-core contract"
GREEN, RED = "#2da44e", "#cf222e"
FORMATS = (".svg", ".json")
"""Suffixes of a badge's file: an image, or data for a service that draws badges."""


def report(
    strategy: str,
    plugin: Identity,
    options: Mapping[str, Any],
    effort: str,
    results: Sequence[CheckResult],
) -> dict[str, Any]:
    """Return the results of a check as data, with the versions of plugin, kit and libraries.

    Args:
        strategy: The strategy's config string.
        plugin: Its plugin.
        options: The options that were given; the others had their defaults.
        effort: The effort: ``quick``, ``thorough``, or the requested numbers.
        results: The results of the checks.
    """
    return {
        "strategy": strategy,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "kit": __version__,
        "libraries": libraries(plugin.distribution),
        "python": platform.python_version(),
        "options": dict(options),
        "effort": effort,
        "passed": not failures(results),
        "checks": msgspec.to_builtins(results),
    }


def failures(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the checks that failed."""
    return [result for result in results if result.outcome is CheckOutcome.FAILED]


def libraries(distribution: str) -> dict[str, str]:
    """Return the versions of a distribution's requirements that are installed."""
    found = {}
    try:
        required = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return {}
    for requirement in required:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if name != "hpo-core":
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
    return dict(sorted(found.items()))


def write_badge(file: Path, results: Sequence[CheckResult], checks: int) -> None:
    """Write a badge: a picture (``.svg``), or the JSON that shields.io makes one of (``.json``).

    It shows how many checks passed, or failed, and the version of the kit.

    Args:
        file: The file.
        results: The results of the checks.
        checks: Number of all checks, including those that were not run.

    Raises:
        OSError: If the file can't be written.
    """
    failed = failures(results)
    passed = sum(result.outcome is CheckOutcome.PASSED for result in results)
    word = f"{len(failed)} failed" if failed else f"{counted(passed, 'check')} passed"
    part = "" if len(results) == checks else f", {len(results)} of {checks} run"
    message = f"{word}{part} ({__version__})"
    if file.suffix.lower() == ".json":
        color = RED if failed else GREEN
        said = {"schemaVersion": 1, "label": LABEL, "message": message, "color": color}
        text = json.dumps(said) + "\n"
    else:
        text = _picture(message, RED if failed else GREEN)
    file.write_text(text, encoding="utf-8")


def _picture(message: str, color: str) -> str:
    left, right = (10 + 6.5 * len(text) for text in (LABEL, message))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:g}" height="20" role="img" '
        f'aria-label="{LABEL}: {message}">\n'
        f'  <rect width="{left:g}" height="20" fill="#555"/>\n'
        f'  <rect x="{left:g}" width="{right:g}" height="20" fill="{color}"/>\n'
        '  <g fill="#fff" text-anchor="middle" font-family="Verdana,sans-serif" font-size="11">\n'
        f'    <text x="{left / 2:g}" y="14">{LABEL}</text>\n'
        f'    <text x="{left + right / 2:g}" y="14">{message}</text>\n'
        "  </g>\n</svg>\n"
    )
