"""docs/index-of-plugins.md is made from the metadata of this project's plugins and recorded checks.

``make reference`` writes it again. A check is recorded, into docs/checks.json, by
``hpo check cma --json > cma.json; python tests/reference/test_index_of_plugins.py cma.json``.
Outcomes are counted, and so are the checks that were not run (``--only``).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from rendering import AGAIN, table

from hpo_core.testing import StrategyContract

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/index-of-plugins.md"
CHECKS = ROOT / "docs/checks.json"
PLUGINS = {file.parent.name for file in ROOT.glob("plugins/*/pyproject.toml")}
KINDS = ("strategy", "backend", "work", "observer", "reader", "exchange", "command", "plot")

HEAD = """\
# Index of plugins

Every plugin that this project publishes, from the metadata of the packages (`make reference`).
Their names are safe to install: an error recommends these and no others
([why](decisions/0041-names-that-are-safe-to-recommend.md)). `hpo plugins --search WORD` searches
what is installed.
"""

STRATEGIES = """\
## Strategies

"Check" is the result of `hpo check`, the contract kit, when it was last recorded, with its effort,
the options that were given, and the versions of its requirements. A slow strategy is checked with
fewer examples, or by fewer checks. The tests of each plugin run the kit as well. Which strategy to
choose is in the README of the project and of each package.
"""


def installed() -> list[dict[str, Any]]:
    """Return what ``hpo plugins --json`` says of this project's plugins."""
    command = [sys.executable, "-c", "from hpo_core.cli.main import main; main()", "plugins"]
    said = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    return [each for each in json.loads(said.stdout) if each["distribution"] in PLUGINS]


def recorded() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(CHECKS.read_text(encoding="utf-8"))
    return found


def record(file: Path) -> None:
    """Add the output of ``hpo check --json`` to the recorded checks."""
    report = json.loads(file.read_text(encoding="utf-8"))
    counts = Counter(check["outcome"] for check in report["checks"])
    known = [name for name in dir(StrategyContract) if name.startswith("test_")]
    if left_out := len(known) - len(report["checks"]):
        counts["not run"] = left_out
    keys = ("version", "kit", "libraries", "python", "options", "effort")
    kept = {key: report[key] for key in keys}
    checks = {**recorded(), report["strategy"]: {**kept, "outcomes": counts}}
    text = json.dumps(checks, indent=2, sort_keys=True) + "\n"
    CHECKS.write_text(text, encoding="utf-8")


def check_of(name: str, checks: dict[str, dict[str, Any]]) -> str:
    """Return the result of a strategy's recorded check, in words."""
    if name not in checks:
        return ""
    found = checks[name]
    outcomes = ", ".join(f"{number} {outcome}" for outcome, number in found["outcomes"].items())
    versions = ", ".join(f"{library} {at}" for library, at in found["libraries"].items())
    options = ", ".join(f"`{key}={value}`" for key, value in found.get("options", {}).items())
    how = "; ".join(filter(None, (found.get("effort"), options, versions)))
    return f"{outcomes} ({how})" if how else outcomes


def link(distribution: str) -> str:
    return f"[{distribution}](../plugins/{distribution}/README.md)"


def page() -> str:
    plugins = sorted(installed(), key=lambda each: (each["distribution"], each["name"]))
    checks = recorded()
    strategies = [
        [
            f"`{spec['name']}`",
            spec["summary"],
            link(found["distribution"]),
            ", ".join(spec["capabilities"]).replace("_", " "),
            check_of(spec["name"], checks),
        ]
        for found in plugins
        for spec in found["strategy"]
    ]
    others = [
        [f"`{spec['name']}`", kind, spec["summary"], link(found["distribution"])]
        for found in plugins
        for kind in KINDS[1:]
        for spec in found[kind]
    ]
    head = ("strategy", "is", "package", "capabilities", "check")
    return "\n".join(
        [
            HEAD,
            STRATEGIES,
            table(head, strategies),
            "## Everything else\n",
            table(("name", "kind", "is", "package"), others),
        ]
    )


def test_the_page_is_what_the_packages_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), AGAIN


def test_no_recorded_check_has_failed() -> None:
    failed = [name for name, found in recorded().items() if "failed" in found["outcomes"]]
    assert failed == []


if __name__ == "__main__":
    for each in sys.argv[1:]:
        record(Path(each))
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
